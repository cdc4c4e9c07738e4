import { temporaryFolder } from "../../../../test/support/folders.ts";
import { eventStoreContract } from "../event-store.contract.ts";
import { openSqliteLog } from "./log.ts";

eventStoreContract("sqlite", async () => {
  const folder = temporaryFolder();
  const log = await openSqliteLog({ folder });
  return { log, openAnother: () => openSqliteLog({ folder }), close: () => log.close() };
});
