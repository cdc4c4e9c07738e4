import { sharedPostgres } from "../../../../test/support/engines.ts";
import { eventStoreContract } from "../event-store.contract.ts";
import { openPostgresLog } from "./log.ts";

const postgres = await sharedPostgres();

if (postgres !== null) {
  eventStoreContract("postgres", async () => {
    const url = await postgres.createDatabase();
    const log = await openPostgresLog({ url });
    return { log, openAnother: () => openPostgresLog({ url }), close: () => log.close() };
  });
}
