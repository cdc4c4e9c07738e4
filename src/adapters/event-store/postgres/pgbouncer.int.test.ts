import { privatePgbouncer, sharedPostgres } from "../../../../test/support/engines.ts";
import { apiKeysContract } from "../../api-keys/api-keys.contract.ts";
import { openPostgresApiKeys } from "../../api-keys/postgres.ts";
import { blobsContract } from "../../blobs/blobs.contract.ts";
import { openPostgresBlobs } from "../../blobs/postgres.ts";
import { eventStoreContract } from "../event-store.contract.ts";
import { openPostgresLog } from "./log.ts";

// The contract suites of all that lies in PostgreSQL, through a PgBouncer in transaction mode that takes no startup
// parameter of its own accord: with the direct way for LISTEN and migrations, and without it.
const postgres = await sharedPostgres();
const pgbouncer = postgres === null ? null : await privatePgbouncer(postgres.url);

if (postgres !== null && pgbouncer !== null) {
  const ways = {
    "through PgBouncer, LISTEN past it": (url: string) => ({ url: pgbouncer.through(url), directUrl: url }),
    "through PgBouncer alone": (url: string) => ({ url: pgbouncer.through(url) }),
  };
  for (const [name, way] of Object.entries(ways)) {
    eventStoreContract(`postgres ${name}`, async () => {
      const source = way(await postgres.createDatabase());
      const log = await openPostgresLog(source);
      return { log, openAnother: () => openPostgresLog(source), close: () => log.close() };
    });
    blobsContract(`postgres ${name}`, async () => {
      const source = way(await postgres.createDatabase());
      let blobs = await openPostgresBlobs(source);
      return {
        blobs,
        async reopen() {
          await blobs.close();
          blobs = await openPostgresBlobs(source);
          return blobs;
        },
        close: () => blobs.close(),
      };
    });
    apiKeysContract(`postgres ${name}`, async () => {
      const source = way(await postgres.createDatabase());
      const keys = await openPostgresApiKeys(source);
      return { keys, openAnother: () => openPostgresApiKeys(source), close: () => keys.close() };
    });
  }
}
