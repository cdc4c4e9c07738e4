import { setTimeout as sleep } from "node:timers/promises";
import { blockEvents, type LogSegment, type PositionRange, type SegmentedLog } from "../../../ports/event-archive.ts";
import { LogUnavailable, type StoredEvent } from "../../../ports/event-store.ts";
import { type Sql, SqlError, type SqlSession } from "../../engines/sql.ts";
import { toStored } from "./reader.ts";
import * as statements from "./segment-statements.ts";

const pageEvents = 5_000;

export interface SegmentsOptions {
  /** All appends and reads wait behind this, when a segment is taken out of the log; then it is tried again. */
  readonly lockTimeoutMs?: number;
  readonly patienceMs?: number;
}

/** The segments of the log in PostgreSQL, for whoever archives. */
export function createPostgresSegments(
  sql: Sql,
  { lockTimeoutMs = 200, patienceMs = 60_000 }: SegmentsOptions = {},
): SegmentedLog {
  return {
    async segments() {
      const rows = await sql.query(statements.segments);
      return rows.map(([first, last, archive, head]): LogSegment => {
        return {
          ...{ first: Number(first), last: Number(last), archive: archive ?? null },
          complete: Number(last) <= Number(head),
        };
      });
    },
    async lastRecordedAt({ last }) {
      const [row] = await sql.query(statements.recordedAt, [last]);
      return row?.[0] == null ? null : new Date(Math.round(Number(row[0]))).toISOString();
    },
    read: (segment) => readEvents(sql, segment),
    async release({ first, last }, name) {
      // What takes long comes before, and holds no lock that anybody waits for. Nobody looks at it before the switch.
      await sql.session((session) => inTransaction(session, 0, () => noteStreams(session, { first, last })));
      const endsAt = performance.now() + patienceMs;
      for (;;) {
        try {
          await sql.session((session) => inTransaction(session, lockTimeoutMs, () => takeOut(session, first, name)));
          break;
        } catch (error) {
          if (!(error instanceof SqlError) || error.code !== "55P03" || performance.now() > endsAt) throw error;
          await sleep(lockTimeoutMs * 2);
        }
      }
      // Files of gigabytes go after the switch, when nobody waits.
      await dropReleased(sql);
    },
    tidy: () => dropReleased(sql),
  };
}

async function noteStreams(session: SqlSession, { first, last }: PositionRange): Promise<void> {
  // Not where another process has released it meanwhile: its events can no longer be asked.
  if (!(await isHere(session, first))) return;
  await session.query(statements.forgetStreams, [first]);
  await session.query(statements.noteStreams, [first, last, blockEvents]);
}

async function isHere(session: SqlSession, first: number): Promise<boolean> {
  const [row] = await session.query(statements.lockSegment, [first]);
  if (row === undefined) throw new RangeError(`no segment begins at position ${first}`);
  return row[1] == null;
}

async function* readEvents(sql: Sql, { first, last }: PositionRange): AsyncGenerator<StoredEvent[]> {
  for (let after = first - 1; after < last; ) {
    const rows = await sql.query(statements.segmentPage, [after, last, pageEvents]);
    const events = rows.map(toStored);
    const end = events[events.length - 1];
    if (end === undefined) throw new LogUnavailable(`position ${after + 1} is not in the log`);
    after = end.position;
    yield events;
  }
}

/** The switch, in one transaction: who reads before it finds the table, who reads after it the archive. */
async function takeOut(session: SqlSession, first: number, name: string): Promise<void> {
  // First the lock that each append takes first: in another order two could wait for each other.
  await session.query("SELECT 1 FROM log_head FOR UPDATE");
  const [row] = await session.query(statements.lockSegment, [first]);
  const [table, archive, isNext] = row ?? [];
  if (archive != null) return;
  if (table == null || isNext !== "t") throw new Error(`segment ${first} is not the oldest in the log`);
  await session.script(`ALTER TABLE events DETACH PARTITION ${quoted(table)}`);
  await session.query(statements.nameArchive, [first, name]);
  await session.query(statements.moveArchivedTo, [first]);
}

async function dropReleased(sql: Sql): Promise<void> {
  for (const [table] of await sql.query(statements.releasedTables)) {
    if (table != null) await sql.session((session) => session.script(`DROP TABLE IF EXISTS ${quoted(table)}`));
  }
}

async function inTransaction(session: SqlSession, lockTimeoutMs: number, work: () => Promise<void>): Promise<void> {
  await session.script(`BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = ${lockTimeoutMs}`);
  try {
    await work();
    await session.script("COMMIT");
  } catch (error) {
    // Where the connection is gone the server rolls back by itself.
    await session.script("ROLLBACK").catch(() => {});
    throw error;
  }
}

const quoted = (table: string): string => `"${table.replaceAll('"', '""')}"`;
