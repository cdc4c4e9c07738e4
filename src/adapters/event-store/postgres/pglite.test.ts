import { createPglite } from "../../../../test/support/pglite.ts";
import { eventStoreContract } from "../event-store.contract.ts";
import { openPostgresLog } from "./log.ts";

eventStoreContract("postgres on PGlite, without a service", async () => {
  const sql = await createPglite();
  const log = await openPostgresLog({ sql });
  return {
    log,
    openAnother: () => openPostgresLog({ sql }),
    async close() {
      await log.close();
      await sql.close();
    },
  };
});
