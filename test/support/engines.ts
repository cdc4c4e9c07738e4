import { afterAll, inject } from "vitest";
import { type PgbouncerOptions, type PgbouncerServer, startPgbouncer } from "./pgbouncer.ts";
import { cloneDatabase, type PostgresServer, type PostgresServerOptions, startPostgres } from "./postgres.ts";
import { type PostgresReplica, startReplica } from "./postgres-replica.ts";
import { type RedisServer, type RedisServerOptions, startRedis } from "./redis.ts";
import { type RedisCluster, startRedisCluster } from "./redis-cluster.ts";
import { type RedisSentinel, startRedisSentinel } from "./redis-sentinel.ts";
import type { Skip } from "./servers.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** URL of the run's PostgreSQL, or why there is none; see global-engines.ts. */
    postgres?: { readonly url: string } | Skip;
  }
}

/**
 * The PostgreSQL that all files of a run share (each with databases of its own), null where there is none: then
 * the reason is printed, or is an error with PROXIMAL_REQUIRE_ENGINES=1. Use as
 *
 *     const postgres = await sharedPostgres();
 *     describe.skipIf(postgres === null)("...", () => { const url = await postgres?.createDatabase() ... });
 */
export async function sharedPostgres(): Promise<Pick<PostgresServer, "url" | "createDatabase"> | null> {
  const shared = inject("postgres");
  if (shared === undefined) return privatePostgres();
  if ("skip" in shared) return orSkip(shared);
  return { url: shared.url, createDatabase: () => cloneDatabase(shared.url) };
}

/** A PostgreSQL for this file alone, stopped after its last test: for tests that kill it or need own settings. */
export async function privatePostgres(options?: PostgresServerOptions): Promise<PostgresServer | null> {
  return untilAfterAll(await startPostgres(options));
}

/** A streaming replica for this file alone, of the server of this URL, stopped after its last test; null as with PostgreSQL. */
export async function privateReplica(primaryUrl: string): Promise<PostgresReplica | null> {
  return untilAfterAll(await startReplica(primaryUrl));
}

/** A PgBouncer for this file alone, before the server of this URL, stopped after its last test; null as with PostgreSQL. */
export async function privatePgbouncer(url: string, options?: PgbouncerOptions): Promise<PgbouncerServer | null> {
  return untilAfterAll(await startPgbouncer(url, options));
}

/** A Redis for this file alone, stopped after its last test; null as with PostgreSQL. */
export async function privateRedis(options?: RedisServerOptions): Promise<RedisServer | null> {
  return untilAfterAll(await startRedis(options));
}

/** A master, two copies and three sentinels for this file alone; null as with PostgreSQL. */
export async function privateRedisSentinel(): Promise<RedisSentinel | null> {
  return untilAfterAll(await startRedisSentinel());
}

/** A Redis Cluster of six nodes for this file alone; null as with PostgreSQL. */
export async function privateRedisCluster(): Promise<RedisCluster | null> {
  return untilAfterAll(await startRedisCluster());
}

function untilAfterAll<Server extends { stop(): Promise<unknown> }>(server: Server | Skip): Server | null {
  if ("skip" in server) return orSkip(server);
  afterAll(async () => void (await server.stop()));
  return server;
}

/** Prints why tests are skipped and gives null; throws instead where engines are required. */
export function orSkip({ skip }: Skip): null {
  if (process.env.PROXIMAL_REQUIRE_ENGINES === "1") throw new Error(`PROXIMAL_REQUIRE_ENGINES=1, but ${skip}`);
  process.stderr.write(`SKIPPED: ${skip}\n`);
  return null;
}
