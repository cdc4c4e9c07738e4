import { setTimeout as sleep } from "node:timers/promises";
import { sharedPostgres } from "../../../test/support/engines.ts";
import { openPostgresPresence } from "./postgres.ts";
import { presenceContract } from "./presence.contract.ts";

const postgres = await sharedPostgres();

if (postgres !== null) {
  presenceContract("postgres", async () => {
    const presence = await openPostgresPresence({ url: await postgres.createDatabase() });
    // The server has a clock of its own: only waiting makes it go on.
    return { presence, pass: (ms) => sleep(ms), close: () => presence.close() };
  });
}
