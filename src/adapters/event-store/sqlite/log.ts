import type { AppendRequest, AppendResult, EventStore } from "../../../ports/event-store.ts";
import type { Feed } from "../../../ports/feed.ts";
import { openSqliteReader } from "../../engines/sqlite.ts";
import { checkRequests } from "../checks.ts";
import { createWaiters, type Waiters } from "../waiters.ts";
import { createSqliteReader, type SqliteReader } from "./reader.ts";
import { logFile } from "./schema.ts";
import type { WriteOrder } from "./writer.ts";
import { startWriterThread, type Written } from "./writer-thread.ts";

export type SqliteLog = EventStore & Feed & { close(): Promise<void> };

/** How often those who wait look whether another process has committed; this process's own commits wake at once. */
const pollMs = 25;

/**
 * The embedded log: one SQLite file in the folder, which is made where it is missing. Several processes may have it
 * open. Rejects where the file cannot be opened, is no database, or is of a newer Proximal.
 */
export async function openSqliteLog(options: { readonly folder: string }): Promise<SqliteLog> {
  const writer = await startWriterThread(options.folder);
  const database = openSqliteReader(logFile(options.folder));
  const reader = createSqliteReader(database);
  const waiters = createPollingWaiters(reader);
  let closed: Promise<void> | null = null;
  return {
    readStream: reader.readStream,
    read: reader.read,
    head: reader.head,
    behind: reader.behind,
    async append(requests) {
      checkRequests(requests);
      if (requests.length === 0) return [];
      const written = await writer.write(pack(requests));
      const results = toResults(requests, written, reader);
      for (const result of results) if (result.status === "appended") waiters.reached(result.position);
      return results;
    },
    waitForMore: (after, timeoutMs, signal) => waiters.wait(after, timeoutMs, signal),
    close() {
      waiters.close();
      // The reader last: it is asked for the duplicates of the writes still under way.
      closed ??= writer.close().finally(() => database.close());
      return closed;
    },
  };
}

function createPollingWaiters(reader: SqliteReader): Waiters {
  let timer: NodeJS.Timeout | undefined;
  let version = 0;
  const look = () => {
    try {
      const now = reader.dataVersion();
      if (now === version) return;
      version = now;
      waiters.reached(reader.headNow());
    } catch {
      // Who waits reads next, and gets the error there.
      waiters.wakeAll();
    }
  };
  const waiters = createWaiters({
    onFirst: () => {
      // Somebody else's commit may lie between the caller's last read and now: the first look is never skipped.
      version = 0;
      timer = setInterval(look, pollMs);
    },
    onLast: () => clearInterval(timer),
  });
  return waiters;
}

function pack(requests: readonly AppendRequest[]): WriteOrder["requests"] {
  return requests.map(({ stream, expected, events }) => ({
    stream,
    expected,
    events: events.map(({ eventId, type, data, metadata, recordedAt }) => ({
      eventId,
      type,
      data: JSON.stringify(data),
      metadata: JSON.stringify(metadata),
      recordedAt: Date.parse(recordedAt),
    })),
  }));
}

function toResults(requests: readonly AppendRequest[], written: Written, reader: SqliteReader): AppendResult[] {
  const repeated = requests.filter((_, i) => written.decisions[i]?.status === "duplicate");
  const ids = repeated.flatMap((request) => request.events.map((event) => event.eventId));
  const existing = ids.length === 0 ? new Map<string, never>() : reader.byId(ids);
  return written.decisions.map((decision, i): AppendResult => {
    if (decision.status === "conflict") return decision;
    if (decision.status === "appended") {
      return { status: "appended", revision: decision.revision, position: written.before + decision.lastRow + 1 };
    }
    const events = (requests[i]?.events ?? []).flatMap((event) => existing.get(event.eventId) ?? []);
    const last = events[events.length - 1];
    return { status: "duplicate", revision: last?.revision ?? 0, position: last?.position ?? 0, existing: events };
  });
}
