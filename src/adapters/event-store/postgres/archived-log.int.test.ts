import { sharedPostgres } from "../../../../test/support/engines.ts";
import { temporaryFolder } from "../../../../test/support/folders.ts";
import { useSmallSegments } from "../../../../test/support/small-segments.ts";
import { archiveEvents } from "../../../commands/archive-events.ts";
import { openArchiveFolder } from "../../archive/folder.ts";
import { createPostgres } from "../../engines/postgres.ts";
import { eventStoreContract } from "../event-store.contract.ts";
import { openPostgresLog } from "./log.ts";
import { createPostgresSegments } from "./segments.ts";

const postgres = await sharedPostgres();

// The whole contract of a log of which all but the newest few events are in the archive: nobody can tell.
if (postgres !== null) {
  eventStoreContract("postgres, archived after each append", async () => {
    const url = await postgres.createDatabase();
    await useSmallSegments(url, 40);
    const sql = createPostgres({ url });
    const archive = openArchiveFolder(temporaryFolder());
    const segments = createPostgresSegments(sql);
    const opened = await openPostgresLog({ sql }, archive);
    let turn: Promise<unknown> = Promise.resolve();
    const log: typeof opened = {
      ...opened,
      async append(requests) {
        const results = await opened.append(requests);
        turn = turn.then(() => archiveEvents({ log: segments, archive }, { position: Number.MAX_SAFE_INTEGER }));
        await turn;
        return results;
      },
    };
    return {
      log,
      openAnother: () => openPostgresLog({ url }, archive),
      async close() {
        await turn;
        await log.close();
        await sql.close();
      },
    };
  });
}
