import { setTimeout as sleep } from "node:timers/promises";
import { createPglite } from "../../../test/support/pglite.ts";
import { leaseContract } from "./lease.contract.ts";
import { openPostgresLease } from "./postgres.ts";

leaseContract("postgres on PGlite, without a service", async () => {
  const sql = await createPglite();
  return { lease: await openPostgresLease({ sql }), pass: (ms) => sleep(ms), close: () => sql.close() };
});
