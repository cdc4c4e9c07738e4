import { temporaryFolder } from "../../../test/support/folders.ts";
import { apiKeysContract } from "./api-keys.contract.ts";
import { openSqliteApiKeys } from "./sqlite.ts";

apiKeysContract("sqlite", async () => {
  const folder = temporaryFolder();
  const keys = await openSqliteApiKeys({ folder });
  return { keys, openAnother: () => openSqliteApiKeys({ folder }), close: () => keys.close() };
});
