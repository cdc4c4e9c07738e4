import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { openPostgresApiKeys } from "../adapters/api-keys/postgres.ts";
import { openSqliteApiKeys } from "../adapters/api-keys/sqlite.ts";
import { openPostgresBlobs } from "../adapters/blobs/postgres.ts";
import { openSqliteBlobs } from "../adapters/blobs/sqlite.ts";
import { createPostgres } from "../adapters/engines/postgres.ts";
import type { Sql } from "../adapters/engines/sql.ts";
import { openPostgresLog } from "../adapters/event-store/postgres.ts";
import { openSqliteLog } from "../adapters/event-store/sqlite.ts";
import { createMemoryLease } from "../adapters/lease/memory.ts";
import { openPostgresLease } from "../adapters/lease/postgres.ts";
import type { ApiKeys } from "../ports/api-keys.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Feed } from "../ports/feed.ts";
import type { Lease } from "../ports/lease.ts";
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
  /** For people: which engine, and where. */
  readonly runsOn: string;
}

/**
 * The event log and what lies beside it: PostgreSQL with DATABASE_URL, else SQLite in the data folder. A server that
 * does not answer yet is waited for as long as `patience` says.
 */
export function openEngines(config: Config, life: Lifecycle, patience: Patience = noPatience): Promise<Engines> {
  return config.databaseUrl === undefined
    ? openEmbedded(resolve(config.dataFolder), life)
    : openServer(config.databaseUrl, life, patience);
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
    const lease = createMemoryLease({ now: Date.now });
    const runsOn = `SQLite ${process.versions.sqlite} in ${folder}`;
    return { eventStore: log, feed: log, blobs, apiKeys, lease, runsOn };
  } catch (error) {
    throw unavailable(`the data folder ${folder}`, error);
  }
}

async function openServer(url: string, life: Lifecycle, patience: Patience): Promise<Engines> {
  const where = `PostgreSQL at ${maskedUrl(url)}`;
  try {
    const sql = await life.acquire(
      "PostgreSQL",
      () => createPostgres({ url }),
      (s) => s.close(),
    );
    const log = await life.acquire(
      "event log",
      () => patience.untilOpen(`${where} (DATABASE_URL)`, () => openPostgresLog({ sql })),
      (l) => l.close(),
    );
    return { eventStore: log, feed: log, ...(await openBesideLog(sql)), runsOn: where };
  } catch (error) {
    throw unavailable(`${where} (DATABASE_URL)`, error);
  }
}

async function openBesideLog(sql: Sql): Promise<Pick<Engines, "blobs" | "apiKeys" | "lease">> {
  const blobs = await openPostgresBlobs({ sql });
  const apiKeys = await openPostgresApiKeys({ sql });
  const lease = await openPostgresLease({ sql });
  return { blobs, apiKeys, lease };
}

/** One line that says which engine and why; what explains itself already stays as it is. */
export function unavailable(engine: string, error: unknown): Error {
  if (error instanceof Explained || error instanceof Stopped) return error;
  return new EngineUnavailable(`${engine} cannot be used: ${reasonOf(error)}`, { cause: error });
}
