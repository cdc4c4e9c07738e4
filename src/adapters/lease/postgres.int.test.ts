import { setTimeout as sleep } from "node:timers/promises";
import { sharedPostgres } from "../../../test/support/engines.ts";
import { leaseContract } from "./lease.contract.ts";
import { openPostgresLease } from "./postgres.ts";

const postgres = await sharedPostgres();

if (postgres !== null) {
  leaseContract("postgres", async () => {
    const lease = await openPostgresLease({ url: await postgres.createDatabase() });
    // The server has a clock of its own: only waiting makes it go on.
    return { lease, pass: (ms) => sleep(ms), close: () => lease.close() };
  });
}
