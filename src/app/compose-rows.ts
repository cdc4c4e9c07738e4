import { join, resolve } from "node:path";
import { guarded } from "../adapters/engines/breaker.ts";
import { createMemoryReadModels, type MemoryReadModels } from "../adapters/read-models/memory.ts";
import {
  openRedisReadModels,
  type RedisReadModels,
  type RedisReadModelsOptions,
} from "../adapters/read-models/redis.ts";
import type { Feed } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { type Breakers, noBreakers } from "./breakers.ts";
import { unavailable } from "./compose.ts";
import { type Config, maskedUrl } from "./config.ts";
import { type Lifecycle, Stopped } from "./lifecycle.ts";
import { logIdentity, noteLogIdentity } from "./log-identity.ts";
import { EngineUnavailable, type Patience } from "./wait-for-engine.ts";

/** The read models, and how they outlive this process. */
export interface OpenReadModels {
  readonly readModels: ReadModels;
  readonly runsOn: string;
  /** Connections to the servers they are in, by state; null where they are in this process. */
  readonly connections: (() => Readonly<Record<string, number>>) | null;
  /** Has each pipeline of reads told: what it took in milliseconds, and the name of its error. */
  observeReads(observe: (durationMs: number, error: string | null) => void): void;
  /** Notes which log they come from, and writes them down where they live in this process only. */
  save(): Promise<void>;
}

/**
 * Redis with REDIS_URL; else memory, from its snapshot where there is a good one of this log, else empty, to be rebuilt
 * from the log.
 */
export async function openReadModels(
  config: Config,
  life: Lifecycle,
  feed: Feed,
  log: Log,
  patience: Patience,
  breakers: Breakers = noBreakers,
): Promise<OpenReadModels> {
  const url = config.redisUrl;
  if (url === undefined) return openInMemory(config, feed, log);
  const where = `Redis at ${maskedUrl(url)}`;
  // Apart: a Redis that is full refuses writes and answers queries.
  const guardReads = breakers.before("redis read", "rowReads");
  const opened = await openRedis({ url, commandTimeoutMs: config.readModelsWaitMs, guardReads }, life, log, patience);
  const readModels = guarded(opened, breakers.before("redis write", "rowWrites"), ["read", "write", "remove"]);
  const whose = await patience.untilOpen(`${where} (REDIS_URL)`, () => logIdentity(readModels, feed));
  if (whose === "other") {
    // A process that tries again at each job would hold a connection for each.
    await opened.close();
    throw new EngineUnavailable(
      `${where} (REDIS_URL) holds the read models of another event log: where the log was put back from a backup, stop every process and run: proximal after-restore --yes; else give each log a database number of its own (…:6379/1)`,
    );
  }
  const { connections, observeReads } = opened;
  return { readModels, runsOn: where, connections, observeReads, save: () => noteLogIdentity(readModels, feed) };
}

async function openRedis(
  options: RedisReadModelsOptions,
  life: Lifecycle,
  log: Log,
  patience: Patience,
): Promise<RedisReadModels> {
  const where = `Redis at ${maskedUrl(options.url)} (REDIS_URL)`;
  let first: Error | null = null;
  // While it is being opened the first trouble of a try is the reason of its refusal; later it is told.
  let onConnectionError = (err: Error): void => {
    first ??= err;
  };
  try {
    const readModels = await life.acquire(
      "Redis",
      () =>
        patience.untilOpen(where, () => {
          first = null;
          return openRedisReadModels({ ...options, onConnectionError: (err) => onConnectionError(err) });
        }),
      (redis) => redis.close(),
    );
    onConnectionError = (err) => log.warn({ err: err.message }, "trouble with the connection to Redis");
    return readModels;
  } catch (error) {
    throw unavailable(where, error instanceof Stopped ? error : (first ?? error));
  }
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
  return {
    ...{ readModels, runsOn: "memory, saved to the data folder", connections: null, save },
    observeReads: () => undefined,
  };
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
