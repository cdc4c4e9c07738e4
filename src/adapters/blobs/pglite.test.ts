import { createPglite } from "../../../test/support/pglite.ts";
import { blobsContract } from "./blobs.contract.ts";
import { openPostgresBlobs } from "./postgres.ts";

blobsContract("postgres on PGlite, without a service", async () => {
  const sql = await createPglite();
  return {
    blobs: await openPostgresBlobs({ sql }),
    reopen: () => openPostgresBlobs({ sql }),
    close: () => sql.close(),
  };
});
