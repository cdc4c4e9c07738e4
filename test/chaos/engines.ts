import { createPostgres } from "../../src/adapters/engines/postgres.ts";
import { type FaultLine, openFaultLine } from "../support/fault-line.ts";
import { startKafka } from "../support/kafka-server.ts";
import { startPgbouncer } from "../support/pgbouncer.ts";
import { startPostgres } from "../support/postgres.ts";
import { type PostgresReplica, startReplica } from "../support/postgres-replica.ts";
import { startRedis } from "../support/redis.ts";
import { startRedisSentinel, until } from "../support/redis-sentinel.ts";
import type { Skip } from "../support/servers.ts";
import type { Volume } from "./volume.ts";

/** The lines through which processes reach engines; what stands behind `postgres` is the log, whoever is primary. */
export interface Lines {
  readonly postgres: FaultLine;
  readonly pgbouncer: FaultLine;
  /** By the port of the server behind. */
  readonly redis: ReadonlyMap<number, FaultLine>;
  readonly kafka: FaultLine | null;
}

export type Engines = Awaited<ReturnType<typeof startEngines>>;

/** Told of each thing that runs; what it gives undoes it. */
export type OnStop = (undo: () => unknown) => void;

export interface EnginesWanted {
  readonly kafka: boolean;
  readonly replica: boolean;
}

function orThrow<Server>(server: Server | Skip): Server {
  if (typeof server === "object" && server !== null && "skip" in server) throw new NotInstalled(server.skip);
  return server as Server;
}

/** An engine is not here: nothing that was broken. */
export class NotInstalled extends Error {
  override readonly name = "NotInstalled";
}

/** All engines of a deployment of many machines, on this one. */
export async function startEngines(wanted: EnginesWanted, volume: Volume | null, onStop: OnStop) {
  const line = async (url: string): Promise<FaultLine> => {
    const opened = await openFaultLine(url);
    onStop(() => opened.close());
    return opened;
  };
  const started = async <Server extends { stop(): Promise<unknown> }>(starting: Promise<Server | Skip>) => {
    const server = orThrow<Server>(await starting);
    onStop(() => server.stop());
    return server;
  };
  const redisLines = new Map<number, FaultLine>();
  const throughRedisLine = async (port: number): Promise<number> => {
    const opened = await line(`redis://127.0.0.1:${port}`);
    redisLines.set(port, opened);
    return opened.port;
  };
  let kafkaLine: FaultLine | null = null;
  const throughKafkaLine = async (port: number): Promise<number> => {
    kafkaLine = await line(`kafka://127.0.0.1:${port}`);
    return kafkaLine.port;
  };

  const [postgres, sentinel, jobsRedis, kafka] = await allStarted([
    started(startPostgres({ settings: smallPostgres, ...(volume === null ? {} : { within: volume.folder }) })),
    started(startRedisSentinel({ through: throughRedisLine })),
    started(startRedis({ settings: { "maxmemory-policy": "noeviction" } })),
    wanted.kafka ? started(startKafka({ through: throughKafkaLine })) : null,
  ] as const);
  const databaseUrl = await postgres.createDatabase();
  const postgresLine = await line(databaseUrl);
  const pgbouncer = await started(startPgbouncer(postgresLine.url, { settings: pgbouncerSettings }));
  const pgbouncerLine = await line(pgbouncer.through(databaseUrl));
  const replica: PostgresReplica | null = wanted.replica ? await started(startReplica(postgres.url)) : null;
  if (replica !== null) await makeSynchronous(postgres.url);
  const lines: Lines = { postgres: postgresLine, pgbouncer: pgbouncerLine, redis: redisLines, kafka: kafkaLine };
  return { postgres, databaseUrl, replica, pgbouncer, sentinel, jobsRedis, kafka, lines };
}

/** As Promise.all, but that a failure is told once the others stand too: then all of them can be stopped. */
async function allStarted<T extends readonly unknown[]>(
  starting: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(starting);
  return Promise.all(starting);
}

/** A commit waits for the replica from now on: what was accepted is on both. */
async function makeSynchronous(url: string): Promise<void> {
  const admin = createPostgres({ url, connections: 1 });
  try {
    await admin.script("ALTER SYSTEM SET synchronous_standby_names = 'replica'");
    await admin.query("SELECT pg_reload_conf()");
    await until(async () => {
      const [row] = await admin.query("SELECT sync_state FROM pg_stat_replication");
      if (row?.[0] !== "sync") throw new Error(`the replica does not follow: ${row?.[0]}`);
    });
  } finally {
    await admin.close();
  }
}

/** They share the machine, and the disk that is made full is small. */
const smallPostgres = { shared_buffers: "64MB", max_connections: "200", max_wal_size: "128MB", wal_keep_size: "64MB" };
/** A server that was gone is tried again each second, as infra/postgres/pgbouncer.ini says. */
const pgbouncerSettings = { server_login_retry: "1", query_wait_timeout: "10" };

/** What a process is told of them: by names, as where engines are elsewhere. */
export function environmentOf({ lines, sentinel, jobsRedis, kafka }: Engines): Readonly<Record<string, string>> {
  const named = (url: string, name: string): string => url.replace("127.0.0.1", `${name}.chaos.test`);
  const kafkaBrokers = kafka === null || lines.kafka === null ? "" : `kafka.chaos.test:${lines.kafka.port}`;
  return {
    DATABASE_URL: named(lines.pgbouncer.url, "pgbouncer"),
    DATABASE_DIRECT_URL: named(lines.postgres.url, "postgres"),
    REDIS_URL: sentinel.url.replaceAll("127.0.0.1", "sentinel.chaos.test"),
    JOBS_REDIS_URL: named(jobsRedis.url, "jobs"),
    KAFKA_BROKERS: kafkaBrokers,
    PROXIMAL_PARTITIONS: "4",
    LOG_FORMAT: "json",
  };
}
