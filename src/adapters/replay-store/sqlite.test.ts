import { temporaryFolder } from "../../../test/support/folders.ts";
import { replayStoreContract } from "./replay-store.contract.ts";
import { openSqliteReplayStore } from "./sqlite.ts";

replayStoreContract("sqlite", true, async () => {
  const folder = temporaryFolder();
  const opened = [await openSqliteReplayStore({ folder })];
  const [store] = opened;
  if (store === undefined) throw new Error("unreachable");
  return {
    store,
    async other() {
      const other = await openSqliteReplayStore({ folder });
      opened.push(other);
      return other;
    },
    close: async () => void (await Promise.all(opened.map((one) => one.close()))),
  };
});
