import { setTimeout as sleep } from "node:timers/promises";
import { type EventStore, LogUnavailable } from "../../../ports/event-store.ts";
import type { Feed } from "../../../ports/feed.ts";
import type { Log } from "../../../ports/log.ts";
import { createPostgres, type PostgresOptions } from "../../engines/postgres.ts";
import { SqlError, type SqlStatements } from "../../engines/sql.ts";
import { createPostgresReader } from "./reader.ts";
import { createFreshness } from "./replica-freshness.ts";

export type LogReads = Pick<EventStore, "readStream"> & Feed;

/** The log for analysts: from the replica where it is fresh enough, from the primary where not. */
export type ReplicaReads = LogReads & {
  /** The same, but never older than this position: what a client has just been told is there. */
  atLeast(position: number): LogReads;
  close(): Promise<void>;
};

export interface ReplicaReadsOptions {
  readonly primary: LogReads;
  /** Of a streaming replica, or of several behind one name; a pooler may stand before it. */
  readonly replicaUrl: string;
  /** The replica answers only where it has all that the primary had this long ago. */
  readonly maxLagMs: number;
  readonly observe?: (answer: ReplicaAnswer) => void;
  readonly log?: Pick<Log, "info" | "warn">;
  /** Reads the log with these statements, as the primary's reader does; that of an open log where there is no archive. */
  readonly readerOn?: (session: SqlStatements) => LogReader;
  /** Of the replica's pool. */
  readonly pool?: Pick<
    PostgresOptions,
    "connections" | "connectTimeoutMs" | "statementTimeoutMs" | "observe" | "guard"
  >;
}

export type ReplicaAnswer =
  | { readonly answeredBy: "replica"; readonly why: "fresh" }
  | { readonly answeredBy: "primary"; readonly why: Refusal };

/**
 * Why the replica was not asked, or its answer not taken.
 * before_position: it is not where the reader stands already; behind: it lags too much; unproven: the primary does not
 * say how far it is; down: it does not answer; not_a_replica: it was promoted; other_log: it holds another log.
 */
export type Refusal = "before_position" | "behind" | "unproven" | "down" | "not_a_replica" | "other_log";

type LogReader = Pick<LogReads, "readStream" | "read" | "head" | "behind">;
type Read<T> = (reads: LogReader) => Promise<T>;

/** Where the replica stands, in the snapshot in which it is read. */
const whereItStands = "/* replica.position */ SELECT pg_is_in_recovery(), position FROM log_head";

/** A replica that failed is left alone for so long, twice as long each time. */
const restMs = { first: 500, max: 10_000 };
/** Between two looks whether the replica has what the primary has told of, and how long it is looked at. */
const lookMs = 50;
const catchUpMs = 500;

/** Connects on first use; a replica that is not there is no error, since the primary answers. */
export function openReplicaReads(options: ReplicaReadsOptions): ReplicaReads {
  const { primary, maxLagMs, log, readerOn = createPostgresReader } = options;
  const sql = createPostgres({
    ...{ connections: 4, connectTimeoutMs: 1_000, checkAfterIdleMs: 500, applicationName: "proximal-analysts" },
    ...options.pool,
    url: options.replicaUrl,
  });
  const now = () => performance.now();
  const freshness = createFreshness(() => primary.head(), maxLagMs, now);
  const health = createHealth(now, log);
  /** Somebody has seen the log up to here: it must not shrink again before his eyes. */
  let seen = 0;

  async function fromReplica<T>(atLeast: number, read: Read<T>): Promise<Refusal | { readonly answer: T }> {
    if (health.resting()) return "down";
    const asked = freshness.refresh();
    if (!freshness.known()) await asked;
    if (!freshness.known()) return "unproven";
    try {
      // One snapshot for the look and the answer, and one server where several stand behind the name.
      return await sql.transaction(async (session) => {
        const [row] = await session.query(whereItStands);
        const position = Number(row?.[1]);
        if (row?.[0] !== "t") return health.failed("not_a_replica");
        if (!freshness.covers(position)) return "behind";
        if (position < Math.max(atLeast, seen)) return "before_position";
        const reader = readerOn(session);
        if (!health.verified() && !(await isSameLog(reader, primary, position))) return health.failed("other_log");
        const answer = await read(reader);
        health.worked();
        return { answer };
      }, "one snapshot, read only");
    } catch (error) {
      // Of an archive that is not here: the primary's process may have it.
      if (error instanceof LogUnavailable) return "down";
      if (!(error instanceof SqlError)) throw error;
      // 40001: it had to replay what the query was looking at. 57014: too long. Neither says that it is ill.
      return error.code === "40001" || error.code === "57014" ? "down" : health.failed("down", error);
    }
  }

  async function route<T>(atLeast: number, read: Read<T>, positionOf: (answer: T) => number): Promise<T> {
    const found = await fromReplica(atLeast, read);
    if (typeof found === "object") {
      options.observe?.({ answeredBy: "replica", why: "fresh" });
      return found.answer;
    }
    options.observe?.({ answeredBy: "primary", why: found });
    const answer = await read(primary);
    seen = Math.max(seen, positionOf(answer));
    return answer;
  }

  function readsFrom(floor: number): LogReads {
    return {
      readStream: (stream, how) =>
        route(
          floor,
          (reads) => reads.readStream(stream, how),
          (events) => events.reduce((last, { position }) => Math.max(last, position), 0),
        ),
      read: (after, limit, filter) =>
        route(
          Math.max(floor, after),
          (reads) => reads.read(after, limit, filter),
          ({ position }) => position,
        ),
      head: () =>
        route(
          floor,
          (reads) => reads.head(),
          (position) => position,
        ),
      behind: (after, filter) =>
        route(
          Math.max(floor, after),
          (reads) => reads.behind(after, filter),
          () => 0,
        ),
      async waitForMore(after, timeoutMs, signal) {
        const startedAt = now();
        await primary.waitForMore(after, timeoutMs, signal);
        // The primary has more. Whoever reads at once finds nothing on the replica, again and again, or stays with the
        // primary for ever, ahead of the replica. So it gets a moment, unless it is far behind.
        const endsAt = Math.min(startedAt + timeoutMs, now() + catchUpMs);
        while (!signal.aborted && now() < endsAt) {
          const found = await fromReplica(Math.max(floor, after), (reads) => reads.head()).catch(() => null);
          if (found === null || (typeof found === "string" && found !== "before_position")) return;
          if (typeof found === "object" && found.answer > after) return;
          await sleep(Math.max(1, Math.min(lookMs, endsAt - now())), undefined, { signal }).catch(() => {});
        }
      },
    };
  }

  return {
    ...readsFrom(0),
    atLeast: readsFrom,
    async close() {
      await freshness.refresh();
      await sql.close();
    },
  };
}

/** Whether both hold the same event where the replica ends. A wrong URL would else give somebody else's answers. */
async function isSameLog(replica: Pick<Feed, "read">, primary: Pick<Feed, "read">, position: number): Promise<boolean> {
  if (position === 0) return true;
  const [ours, theirs] = await Promise.all([replica.read(position - 1, 1), primary.read(position - 1, 1)]);
  return ours.events[0] !== undefined && ours.events[0].eventId === theirs.events[0]?.eventId;
}

/** Leaves a replica that failed alone for a while, looks at it anew afterwards, and says so once. */
function createHealth(now: () => number, log: ReplicaReadsOptions["log"]) {
  let restsUntil = 0;
  let delayMs = restMs.first;
  let verified = false;
  let told: Refusal | null = null;
  return {
    resting: () => now() < restsUntil,
    verified: () => verified,
    worked(): void {
      if (told !== null) log?.info({}, "the replica answers analysts' reads again");
      delayMs = restMs.first;
      verified = true;
      told = null;
    },
    failed(why: Refusal, error?: Error): Refusal {
      if (told !== why) log?.warn({ why, err: error?.message }, "analysts' reads go to the primary");
      restsUntil = now() + delayMs;
      delayMs = Math.min(delayMs * 2, restMs.max);
      verified = false;
      told = why;
      return why;
    },
  };
}
