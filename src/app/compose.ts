import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { openPostgresApiKeys } from "../adapters/api-keys/postgres.ts";
import { openSqliteApiKeys } from "../adapters/api-keys/sqlite.ts";
import { openPostgresBlobs } from "../adapters/blobs/postgres.ts";
import { openSqliteBlobs } from "../adapters/blobs/sqlite.ts";
import { createPostgres } from "../adapters/engines/postgres.ts";
import { openPostgresLog } from "../adapters/event-store/postgres.ts";
import { openSqliteLog } from "../adapters/event-store/sqlite.ts";
import { createMemoryReadModels, type MemoryReadModels } from "../adapters/read-models/memory.ts";
import { openRedisReadModels } from "../adapters/read-models/redis.ts";
import type { ApiKeys } from "../ports/api-keys.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Feed } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { type Config, maskedUrl } from "./config.ts";
import { Explained } from "./explained.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { logIdentity, noteLogIdentity } from "./log-identity.ts";

/** What stands on durable storage. */
export interface Engines {
  readonly eventStore: EventStore;
  readonly feed: Feed;
  readonly blobs: Blobs;
  readonly apiKeys: ApiKeys;
  /** For people: which engine, and where. */
  readonly runsOn: string;
}

/** An engine could not be opened: one line that says which, why, and what to do. */
export class EngineUnavailable extends Explained {
  override readonly name = "EngineUnavailable";
}

/** The event log and what lies beside it: PostgreSQL with DATABASE_URL, else SQLite in the data folder. */
export function openEngines(config: Config, life: Lifecycle): Promise<Engines> {
  return config.databaseUrl === undefined
    ? openEmbedded(resolve(config.dataFolder), life)
    : openServer(config.databaseUrl, life);
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
    return { eventStore: log, feed: log, blobs, apiKeys, runsOn: `SQLite ${process.versions.sqlite} in ${folder}` };
  } catch (error) {
    throw new EngineUnavailable(`the data folder ${folder} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

async function openServer(url: string, life: Lifecycle): Promise<Engines> {
  try {
    const sql = await life.acquire(
      "PostgreSQL",
      () => createPostgres({ url }),
      (s) => s.close(),
    );
    const log = await life.acquire(
      "event log",
      () => openPostgresLog({ sql }),
      (l) => l.close(),
    );
    const blobs = await openPostgresBlobs({ sql });
    const apiKeys = await openPostgresApiKeys({ sql });
    return { eventStore: log, feed: log, blobs, apiKeys, runsOn: `PostgreSQL at ${maskedUrl(url)}` };
  } catch (error) {
    throw new EngineUnavailable(`PostgreSQL at ${maskedUrl(url)} (DATABASE_URL) cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The read models, and how they outlive this process. */
export interface OpenReadModels {
  readonly readModels: ReadModels;
  readonly runsOn: string;
  /** Notes which log they come from, and writes them down where they live in this process only. */
  save(): Promise<void>;
}

/**
 * Redis with REDIS_URL; else memory, from its snapshot where there is a good one of this log, else empty, to be rebuilt
 * from the log.
 */
export async function openReadModels(config: Config, life: Lifecycle, feed: Feed, log: Log): Promise<OpenReadModels> {
  const url = config.redisUrl;
  if (url === undefined) return openInMemory(config, feed, log);
  const where = `Redis at ${maskedUrl(url)} (REDIS_URL)`;
  let readModels: ReadModels;
  let first: Error | null = null;
  // While it is being opened the first trouble is the reason of the refusal; later it is told.
  let onConnectionError = (err: Error): void => {
    first ??= err;
  };
  try {
    readModels = await life.acquire(
      "Redis",
      () => openRedisReadModels({ url, onConnectionError: (err) => onConnectionError(err) }),
      (redis) => redis.close(),
    );
    onConnectionError = (err) => log.warn({ err: err.message }, "trouble with the connection to Redis");
  } catch (error) {
    throw new EngineUnavailable(`${where} cannot be used: ${messageOf(first ?? error)}`, { cause: error });
  }
  if ((await logIdentity(readModels, feed)) === "other") {
    throw new EngineUnavailable(
      `${where} holds the read models of another event log: give each log a database number of its own (…:6379/1), or empty this one (after putting back a backup of the log)`,
    );
  }
  return { readModels, runsOn: `Redis at ${maskedUrl(url)}`, save: () => noteLogIdentity(readModels, feed) };
}

async function openInMemory(config: Config, feed: Feed, log: Log): Promise<OpenReadModels> {
  const readModels = await loaded(snapshotPath(config), feed, log);
  let saving: Promise<void> = Promise.resolve();
  const saveNow = async (): Promise<void> => {
    await noteLogIdentity(readModels, feed);
    const { rows, bytes } = await readModels.saveSnapshot(snapshotPath(config));
    log.debug({ rows, bytes }, "read models saved");
  };
  const save = (): Promise<void> => {
    saving = saving.then(saveNow, saveNow);
    return saving;
  };
  return { readModels, runsOn: "memory, saved to the data folder", save };
}

async function loaded(path: string, feed: Feed, log: Log): Promise<MemoryReadModels> {
  const readModels = createMemoryReadModels();
  const startedAt = performance.now();
  const snapshot = await readModels.loadSnapshot(path);
  if (!snapshot.loaded) {
    if (!snapshot.missing) log.warn({ path, why: snapshot.why }, "snapshot not used; read models come from the log");
    return readModels;
  }
  if ((await logIdentity(readModels, feed)) === "other") {
    log.warn({ path }, "snapshot is of another event log and not used; read models come from the log");
    return createMemoryReadModels();
  }
  const ms = Math.round(performance.now() - startedAt);
  log.info({ rows: snapshot.rows, ms }, "read models loaded from their snapshot");
  return readModels;
}

function snapshotPath(config: Config): string {
  return join(resolve(config.dataFolder), "read-models.snapshot");
}

export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
