import { temporaryFolder } from "../../../test/support/folders.ts";
import { blobsContract } from "./blobs.contract.ts";
import { openSqliteBlobs } from "./sqlite.ts";

blobsContract("sqlite", async () => {
  const folder = temporaryFolder();
  let blobs = await openSqliteBlobs({ folder });
  return {
    blobs,
    async reopen() {
      await blobs.close();
      blobs = await openSqliteBlobs({ folder });
      return blobs;
    },
    close: () => blobs.close(),
  };
});
