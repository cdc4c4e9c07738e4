import { setTimeout as sleep } from "node:timers/promises";
import { createPglite } from "../../../test/support/pglite.ts";
import { presenceContract } from "./presence.contract.ts";
import { openPostgresPresence } from "./postgres.ts";

presenceContract("postgres on PGlite, without a service", async () => {
  const sql = await createPglite();
  return { presence: await openPostgresPresence({ sql }), pass: (ms) => sleep(ms), close: () => sql.close() };
});
