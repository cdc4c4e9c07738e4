import { setTimeout as sleep } from "node:timers/promises";
import { createPglite } from "../../../test/support/pglite.ts";
import { openPostgresPresence } from "./postgres.ts";
import { presenceContract } from "./presence.contract.ts";

presenceContract("postgres on PGlite, without a service", async () => {
  const sql = await createPglite();
  return { presence: await openPostgresPresence({ sql }), pass: (ms) => sleep(ms), close: () => sql.close() };
});
