import { Redis } from "ioredis";
import pg from "pg";
import { startPostgres } from "../../test/support/postgres.ts";
import { type RedisServer, startRedis } from "../../test/support/redis.ts";
import { freePort } from "../../test/support/servers.ts";
import { cpuSeconds, linesOf, onEnd } from "../bench/processes.ts";
import { startServe } from "../bench/proximal-app.ts";
import { familyCpuSeconds, parentOf } from "./processor-time.ts";

/** Proximal with a process for each role, on a PostgreSQL (fsync on) and a Redis of its own. */

export interface RoleProcess {
  readonly url: string;
  readonly pid: number;
  request(method: "GET" | "POST", path: string, body?: unknown): Promise<{ readonly text: string }>;
  /** Events that the slowest of what it follows is behind; Infinity where it cannot tell yet. */
  lag(): Promise<number>;
  /** Resolves when everything it follows stands at the end of the log. */
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
}

export interface Stack {
  readonly key: string;
  readonly databaseUrl: string;
  readonly redis: RedisServer;
  readonly redisClient: Redis;
  readonly sql: pg.Client;
  start(role: string, settings?: Readonly<Record<string, string>>): Promise<RoleProcess>;
  /** CPU seconds so far. */
  cpu(): { readonly postgres: number; readonly redis: number };
  /** Position of the last event. */
  head(): Promise<number>;
}

export async function startStack(): Promise<Stack> {
  const postgres = await startPostgres();
  if ("skip" in postgres) throw new Error(postgres.skip);
  onEnd(() => postgres.stop());
  const redis = await startOwnRedis();
  const databaseUrl = await postgres.createDatabase();
  const env = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redis.url,
    HOST: "127.0.0.1",
    PROXIMAL_RATE_LIMIT: "0",
    LOG_LEVEL: "warn",
    PROXIMAL_SERVED_SAMPLE: "0",
  };
  const scopes = ["client", "author", "analyst", "operator"].flatMap((scope) => ["--scope", scope]);
  const create = ["keys", "create", "--name", "capacity", "--json", ...scopes];
  const { key } = JSON.parse((await linesOf("bin/proximal.js", create, env)).join("\n"));
  const sql = new pg.Client({ connectionString: databaseUrl });
  await sql.connect();
  onEnd(() => sql.end());
  const redisClient = new Redis(redis.url);
  onEnd(async () => redisClient.disconnect());
  const postmaster = parentOf((await sql.query("SELECT pg_backend_pid() AS pid")).rows[0].pid);
  return {
    ...{ key, databaseUrl, redis, redisClient, sql },
    cpu: () => ({ postgres: familyCpuSeconds(postmaster), redis: cpuSeconds(redis.pid) }),
    head: async () => Number((await sql.query("SELECT position FROM log_head")).rows[0].position),
    async start(role, settings = {}) {
      const own = { ...env, PROXIMAL_ROLE: role, PORT: String(await freePort()), ...settings };
      const { url, server, request } = startServe(own, key);
      await until(240_000, `${role} ready`, async () => {
        if (server.child.exitCode !== null) throw new Error(`proximal serve --role ${role} ended`);
        return request("GET", "/healthz").then(
          () => true,
          () => false,
        );
      });
      const lag = () => lagOf(request, role);
      const caughtUp = () => until(600_000, `${role} caught up`, async () => (await lag()) === 0, lagEveryMs);
      return { url, pid: server.pid, request, lag, caughtUp, stop: server.stop };
    },
  };
}

export async function startOwnRedis(): Promise<RedisServer> {
  const redis = await startRedis({ settings: { "maxmemory-policy": "noeviction" } });
  if ("skip" in redis) throw new Error(redis.skip);
  onEnd(() => redis.stop());
  return redis;
}

/** Of a relay its own: it tells of projectors too, and there may be none yet. */
async function lagOf(request: RoleProcess["request"], role: string): Promise<number> {
  try {
    const lags = JSON.parse((await request("GET", "/v1/ops/lag")).text).projections;
    const projections = lags.filter(
      ({ projection }: { projection: string }) => role !== "relay" || projection === role,
    );
    if (projections.length === 0) return Number.POSITIVE_INFINITY;
    return Math.max(
      ...projections.map((lag: { behindEvents: number; started: boolean }) =>
        lag.started ? lag.behindEvents : Number.POSITIVE_INFINITY,
      ),
    );
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

export async function until(
  ms: number,
  what: string,
  reached: () => Promise<boolean>,
  everyMs: number = 50,
): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, everyMs))) {
    if (await reached()) return;
  }
  throw new Error(`not within ${ms / 1000} s: ${what}`);
}

/** A look at the lag counts what is behind: asked more often, it would be much of what is measured. */
const lagEveryMs = 500;

/** A figure of /metrics, summed over its labels; 0 where it is not there. */
export async function metricOf(role: RoleProcess, name: string, label = ""): Promise<number> {
  const { text } = await role.request("GET", "/metrics");
  let sum = 0;
  for (const line of text.split("\n")) {
    const match = /^(\w+)(\{[^}]*\})? (\S+)$/.exec(line);
    if (match?.[1] === name && (match[2] ?? "").includes(label)) sum += Number(match[3]);
  }
  return sum;
}

/** A number of Redis' INFO. */
export async function redisInfo(redis: Redis, name: string): Promise<number> {
  const info = await redis.info();
  return Number(new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1] ?? Number.NaN);
}
