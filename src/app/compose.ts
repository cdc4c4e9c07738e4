import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { openPostgresApiKeys } from "../adapters/api-keys/postgres.ts";
import { openSqliteApiKeys } from "../adapters/api-keys/sqlite.ts";
import { openPostgresBlobs } from "../adapters/blobs/postgres.ts";
import { openSqliteBlobs } from "../adapters/blobs/sqlite.ts";
import { createPostgres } from "../adapters/engines/postgres.ts";
import { openPostgresLog } from "../adapters/event-store/postgres.ts";
import { openSqliteLog } from "../adapters/event-store/sqlite.ts";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import { openRedisReadModels } from "../adapters/read-models/redis.ts";
import type { ApiKeys } from "../ports/api-keys.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Feed } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { type Config, maskedUrl } from "./config.ts";
import type { Lifecycle } from "./lifecycle.ts";

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
export class EngineUnavailable extends Error {
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
  /** Saves them where they live in this process only; a no-op elsewhere. */
  save(): Promise<void>;
}

/** Redis with REDIS_URL; else memory, from its snapshot where there is a good one, else empty, to be rebuilt from the log. */
export async function openReadModels(config: Config, life: Lifecycle, log: Log): Promise<OpenReadModels> {
  const url = config.redisUrl;
  if (url !== undefined) {
    try {
      const readModels = await life.acquire(
        "Redis",
        () => openRedisReadModels({ url }),
        (r) => r.close(),
      );
      return { readModels, runsOn: `Redis at ${maskedUrl(url)}`, save: async () => {} };
    } catch (error) {
      throw new EngineUnavailable(`Redis at ${maskedUrl(url)} (REDIS_URL) cannot be used: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
  return openInMemory(config, log);
}

async function openInMemory(config: Config, log: Log): Promise<OpenReadModels> {
  const readModels = createMemoryReadModels();
  const path = join(resolve(config.dataFolder), snapshotFile(config));
  const startedAt = performance.now();
  const snapshot = await readModels.loadSnapshot(path);
  const ms = Math.round(performance.now() - startedAt);
  if (snapshot.loaded) log.info({ rows: snapshot.rows, ms }, "read models loaded from their snapshot");
  else if (!snapshot.missing) log.warn({ path, why: snapshot.why }, "snapshot not used; read models come from the log");
  let saving: Promise<void> = Promise.resolve();
  const save = (): Promise<void> => {
    saving = saving.then(async () => {
      const { rows, bytes } = await readModels.saveSnapshot(path);
      log.debug({ rows, bytes }, "read models saved");
    });
    return saving;
  };
  return { readModels, runsOn: "memory, saved to the same folder", save };
}

/** Rows kept beside a log in PostgreSQL must not be taken for those of the embedded log. */
function snapshotFile(config: Config): string {
  return config.databaseUrl === undefined ? "read-models.snapshot" : "read-models-postgres.snapshot";
}

export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
