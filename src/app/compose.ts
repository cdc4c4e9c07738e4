import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { openPostgresApiKeys } from "../adapters/api-keys/postgres.ts";
import { openSqliteApiKeys } from "../adapters/api-keys/sqlite.ts";
import { openArchiveFolder } from "../adapters/archive/folder.ts";
import { openPostgresBlobs } from "../adapters/blobs/postgres.ts";
import { openSqliteBlobs } from "../adapters/blobs/sqlite.ts";
import { type Guard, guarded } from "../adapters/engines/breaker.ts";
import { createPostgres, type Postgres, type PostgresOptions } from "../adapters/engines/postgres.ts";
import type { SqlStatements } from "../adapters/engines/sql.ts";
import { openPostgresLog } from "../adapters/event-store/postgres/log.ts";
import { createPostgresReader } from "../adapters/event-store/postgres/reader.ts";
import { type LogReads, openReplicaReads } from "../adapters/event-store/postgres/replica.ts";
import { createPostgresSegments } from "../adapters/event-store/postgres/segments.ts";
import { openSqliteLog } from "../adapters/event-store/sqlite/log.ts";
import { createMemoryLease } from "../adapters/lease/memory.ts";
import { openPostgresLease } from "../adapters/lease/postgres.ts";
import { createMemoryPresence } from "../adapters/presence/memory.ts";
import { openPostgresPresence } from "../adapters/presence/postgres.ts";
import { openPostgresReplayStore } from "../adapters/replay-store/postgres.ts";
import { openSqliteReplayStore } from "../adapters/replay-store/sqlite.ts";
import type { ArchiveEventsDeps } from "../commands/archive-events.ts";
import type { EngineMetrics } from "../http/engine-metrics.ts";
import type { ApiKeys } from "../ports/api-keys.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { EventArchive } from "../ports/event-archive.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Feed } from "../ports/feed.ts";
import type { Lease } from "../ports/lease.ts";
import type { Log } from "../ports/log.ts";
import type { Presence } from "../ports/presence.ts";
import type { ReplayStore } from "../ports/replay-store.ts";
import type { Tracing } from "../ports/tracing.ts";
import { type Breakers, noBreakers } from "./breakers.ts";
import { type Config, maskedUrl } from "./config.ts";
import { Explained } from "./explained.ts";
import { type Lifecycle, Stopped } from "./lifecycle.ts";
import { EngineUnavailable, noPatience, type Patience, reasonOf } from "./wait-for-engine.ts";

/** What stands on durable storage. */
export interface Engines {
  readonly eventStore: EventStore;
  readonly feed: Feed;
  readonly blobs: Blobs;
  readonly apiKeys: ApiKeys;
  readonly lease: Lease;
  /** Which processes are there. */
  readonly presence: Presence;
  /** Replays of analysts, and their results. */
  readonly replays: ReplayStore;
  /** The log for analysts' reads: a replica where there is one. */
  readonly analysts: LogReads;
  /** null: embedded. */
  readonly postgres: Postgres | null;
  /** Engine of the log, as OpenTelemetry names systems. */
  readonly system: "sqlite" | "postgresql" | "eventstoredb";
  /** For people: which engine, and where. */
  readonly runsOn: string;
}

/** What a process that stays gives besides; a command does without. */
export interface Opening {
  readonly patience?: Patience;
  readonly log?: Log;
  readonly metrics?: EngineMetrics;
  readonly breakers?: Breakers;
  readonly tracing?: Tracing | undefined;
}

/**
 * The event log and what lies beside it: all in PostgreSQL with DATABASE_URL, or the log in EventStoreDB and the rest
 * there; without any of them in SQLite in the data folder. A server that does not answer yet is waited for as long as
 * `patience` says.
 */
export function openEngines(config: Config, life: Lifecycle, opening: Opening = {}): Promise<Engines> {
  const { databaseUrl } = config;
  return databaseUrl === undefined
    ? openEmbedded(resolve(config.dataFolder), life)
    : openServer({ ...config, databaseUrl }, life, opening);
}

async function openEmbedded(folder: string, life: Lifecycle): Promise<Engines> {
  try {
    await mkdir(folder, { recursive: true });
    const log = await life.acquire(
      "event log",
      () => openSqliteLog({ folder }),
      (l) => l.close(),
    );
    const blobs = await life.acquire(
      "blobs",
      () => openSqliteBlobs({ folder }),
      (b) => b.close(),
    );
    const apiKeys = await life.acquire(
      "API keys",
      () => openSqliteApiKeys({ folder }),
      (k) => k.close(),
    );
    const replays = await life.acquire(
      "replays",
      () => openSqliteReplayStore({ folder }),
      (r) => r.close(),
    );
    const lease = createMemoryLease({ now: Date.now });
    const runsOn = `SQLite ${process.versions.sqlite} in ${folder}`;
    const presence = createMemoryPresence({ now: Date.now });
    const places = { eventStore: log, feed: log, analysts: log, blobs, apiKeys, lease, presence, replays };
    return { ...places, postgres: null, system: "sqlite", runsOn };
  } catch (error) {
    throw unavailable(`the data folder ${folder}`, error);
  }
}

type ServerConfig = Config & { readonly databaseUrl: string };

async function openServer(config: ServerConfig, life: Lifecycle, opening: Opening): Promise<Engines> {
  const { patience = noPatience, breakers = noBreakers } = opening;
  // A start tries again and again by itself, and says why.
  let guard: Guard = (work) => work();
  const where = `PostgreSQL at ${maskedUrl(config.databaseUrl)}`;
  try {
    const postgres = await life.acquire(
      "PostgreSQL",
      () => openPool(config, opening, (work) => guard(work)),
      (pool) => pool.close(),
    );
    const { eventStoreDbUrl } = config;
    // The first to need it migrates: from then on it is there.
    const open = { sql: postgres };
    const until = <T>(step: () => Promise<T>): Promise<T> => patience.untilOpen(`${where} (DATABASE_URL)`, step);
    const blobs = await until(() => openPostgresBlobs(open));
    guard = breakers.before("postgresql", "postgres");
    const [apiKeys, lease] = [await until(() => openPostgresApiKeys(open)), await until(() => openPostgresLease(open))];
    const presence = await until(() => openPostgresPresence(open));
    const replays = await until(() => openPostgresReplayStore(open));
    const beside = { blobs, apiKeys, lease, presence, replays, postgres };
    if (eventStoreDbUrl !== undefined) {
      const log = await openEventStoreDb(eventStoreDbUrl, life, opening);
      const runsOn = `EventStoreDB at ${maskedUrl(eventStoreDbUrl)}, the rest in ${where}`;
      return { eventStore: log, feed: log, analysts: log, ...beside, system: "eventstoredb", runsOn };
    }
    const log = await life.acquire(
      "event log",
      () => until(() => openPostgresLog(open, archiveOf(config))),
      (l) => l.close(),
    );
    const analysts = await openAnalysts(config, log, life, opening);
    return { eventStore: log, feed: log, analysts, ...beside, system: "postgresql", runsOn: where };
  } catch (error) {
    throw unavailable(`${where} (DATABASE_URL)`, error);
  }
}

function openPool({ databaseUrl, databaseDirectUrl }: ServerConfig, opening: Opening, guard: Guard): Postgres {
  const { log, metrics } = opening;
  const watched = { ...observing("main", opening), ...(log ? { log } : {}) };
  const postgres = createPostgres({ url: databaseUrl, directUrl: databaseDirectUrl, guard, ...watched });
  metrics?.watchPool("main", postgres.poolState);
  return postgres;
}

/** Whom a pool tells of its statements: the metrics, and the trace that is active. */
function observing(pool: string, { metrics, tracing }: Opening): Pick<PostgresOptions, "observe"> {
  const count = metrics?.observePostgres(pool);
  if (tracing === undefined) return count === undefined ? {} : { observe: count };
  return {
    observe(observation) {
      count?.(observation);
      if (observation.kind !== "statement") return;
      const attributes = { "db.system.name": "postgresql", "db.query.summary": observation.name };
      tracing.ended({ name: observation.name, kind: "client", attributes }, observation.durationMs, observation.error);
    },
  };
}

async function openEventStoreDb(
  url: string,
  life: Lifecycle,
  { patience = noPatience, breakers = noBreakers, log }: Opening,
) {
  // Its client is heavy to load: only who uses it does.
  const { openEventStoreDbLog } = await import("../adapters/event-store/eventstoredb/log.ts");
  const where = `EventStoreDB at ${maskedUrl(url)} (EVENTSTOREDB_URL)`;
  try {
    const opened = await life.acquire(
      "event log",
      () => patience.untilOpen(where, () => openEventStoreDbLog({ url, ...(log ? { log } : {}) })),
      (l) => l.close(),
    );
    // Apart: a node without a quorum still reads.
    const writing = guarded(opened, breakers.before("eventstoredb append", "eventStoreDb"), ["append"]);
    const reading = breakers.before("eventstoredb read", "eventStoreDb");
    return guarded(writing, reading, ["readStream", "read", "head", "behind"]);
  } catch (error) {
    throw unavailable(where, error);
  }
}

/** Where old segments of the log are; null: nowhere. */
export function archiveOf({ archiveFolder }: Config): EventArchive | null {
  return archiveFolder === undefined ? null : openArchiveFolder(resolve(archiveFolder));
}

/** The log where its segments can move to the archive: in PostgreSQL, with PROXIMAL_ARCHIVE; null: nowhere. */
export function archivable(config: Config, { postgres }: Engines): ArchiveEventsDeps | null {
  const archive = archiveOf(config);
  if (archive === null || postgres === null || config.eventStoreDbUrl !== undefined) return null;
  return { log: createPostgresSegments(postgres), archive };
}

/** A replica that is not there is no reason not to start: the primary answers then. */
async function openAnalysts(
  config: ServerConfig,
  primary: LogReads,
  life: Lifecycle,
  opening: Opening,
): Promise<LogReads> {
  const { log, metrics, breakers = noBreakers } = opening;
  const { databaseReplicaUrl: replicaUrl, replicaMaxLagMs: maxLagMs } = config;
  if (replicaUrl === undefined) return primary;
  const archive = archiveOf(config);
  const readerOn = (session: SqlStatements) => createPostgresReader(session, archive);
  const guard = breakers.before("postgresql replica", "postgres");
  const watched = {
    ...(metrics ? { observe: metrics.observeReplica } : {}),
    ...{ pool: { guard, ...observing("replica", opening) } },
    ...(log ? { log } : {}),
  };
  return life.acquire(
    "replica",
    () => openReplicaReads({ primary, replicaUrl, maxLagMs, readerOn, ...watched }),
    (replica) => replica.close(),
  );
}

/** One line that says which engine and why; what explains itself already stays as it is. */
export function unavailable(engine: string, error: unknown): Error {
  if (error instanceof Explained || error instanceof Stopped) return error;
  return new EngineUnavailable(`${engine} cannot be used: ${reasonOf(error)}`, { cause: error });
}
