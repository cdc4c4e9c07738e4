import { sharedPostgres } from "../../../test/support/engines.ts";
import { openPostgresReplayStore } from "./postgres.ts";
import { replayStoreContract } from "./replay-store.contract.ts";

const postgres = await sharedPostgres();

if (postgres !== null) {
  replayStoreContract("postgres", true, async () => {
    const url = await postgres.createDatabase();
    const opened = await Promise.all([openPostgresReplayStore({ url }), openPostgresReplayStore({ url })]);
    const [store, other] = opened;
    return {
      store,
      other: async () => other,
      close: async () => void (await Promise.all(opened.map((one) => one.close()))),
    };
  });
}
