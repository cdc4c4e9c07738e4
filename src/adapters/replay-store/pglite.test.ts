import { createPglite } from "../../../test/support/pglite.ts";
import { openPostgresReplayStore } from "./postgres.ts";
import { replayStoreContract } from "./replay-store.contract.ts";

replayStoreContract("postgres on PGlite, without a service", false, async () => {
  const sql = await createPglite();
  return { store: await openPostgresReplayStore({ sql }), close: () => sql.close() };
});
