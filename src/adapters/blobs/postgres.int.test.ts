import { sharedPostgres } from "../../../test/support/engines.ts";
import { blobsContract } from "./blobs.contract.ts";
import { openPostgresBlobs } from "./postgres.ts";

const postgres = await sharedPostgres();

if (postgres !== null) {
  blobsContract("postgres", async () => {
    const url = await postgres.createDatabase();
    let blobs = await openPostgresBlobs({ url });
    return {
      blobs,
      async reopen() {
        await blobs.close();
        blobs = await openPostgresBlobs({ url });
        return blobs;
      },
      close: () => blobs.close(),
    };
  });
}
