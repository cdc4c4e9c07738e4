import type { EventArchive } from "../../../ports/event-archive.ts";
import { type EventStore, LogNotAsked, LogUnavailable } from "../../../ports/event-store.ts";
import type { Feed } from "../../../ports/feed.ts";
import { NotAsked } from "../../engines/breaker.ts";
import { openMigrated, type PostgresSource } from "../../engines/open-migrated.ts";
import { type Sql, SqlError, type SqlStatements } from "../../engines/sql.ts";
import { checkRequests } from "../checks.ts";
import { createWaiters } from "../waiters.ts";
import { appendRequests } from "./append.ts";
import { createPostgresReader } from "./reader.ts";

export type PostgresLog = EventStore & Feed & { close(): Promise<void> };

/** Notifications wake those who wait; they look for themselves as well, for poolers that swallow notifications. */
const pollMs = 500;

/**
 * The log in PostgreSQL; brings the schema up to date first. With `sql` the connections are the caller's and stay open
 * on close. `archive`: where segments that left the database are read. Rejects with SqlError where there is no server, with Error where the schema does not fit this code.
 */
export async function openPostgresLog(
  source: PostgresSource,
  archive: EventArchive | null = null,
): Promise<PostgresLog> {
  const { sql, close } = await openMigrated(source);
  const session: SqlStatements = {
    query: (text, params) => sql.query(text, params).catch(unavailable),
    each: (text, params, take) => sql.each(text, params, take).catch(unavailable),
  };
  const reader = createPostgresReader(session, archive);
  const wake = createWakeUp(sql, reader.head);
  const stopListening = await wake.listen();
  return {
    readStream: reader.readStream,
    read: reader.read,
    head: reader.head,
    behind: reader.behind,
    async append(requests) {
      checkRequests(requests);
      if (requests.length === 0) return [];
      const results = await appendRequests(session.query, reader.eventsAt, requests);
      for (const result of results) if (result.status === "appended") wake.waiters.reached(result.position);
      return results;
    },
    waitForMore: (after, timeoutMs, signal) => wake.waiters.wait(after, timeoutMs, signal),
    async close() {
      wake.waiters.close();
      await stopListening();
      await close();
    },
  };
}

function createWakeUp(sql: Sql, head: () => Promise<number>) {
  let timer: NodeJS.Timeout | undefined;
  const waiters = createWaiters({
    onFirst: () => {
      timer = setInterval(look, pollMs);
    },
    onLast: () => clearInterval(timer),
  });
  function look(): void {
    // Where the server cannot be asked, those who wait are woken when their time is up.
    head().then(waiters.reached, () => {});
  }
  const listen = () => sql.listen("proximal_log", (position) => waiters.reached(Number(position)), look);
  return { waiters, listen };
}

function unavailable(error: unknown): never {
  if (error instanceof SqlError && error.cause instanceof NotAsked)
    throw new LogNotAsked(error.message, { cause: error });
  if (error instanceof SqlError && error.transient) throw new LogUnavailable(error.message, { cause: error });
  throw error;
}
