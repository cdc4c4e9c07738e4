import { Redis } from "ioredis";
import pg from "pg";
import type { Sample } from "./result.ts";

/** Looks at PostgreSQL and Redis while they work, by what they say of themselves. Each look gives rates since the last one. */

export interface EngineLook<T> {
  look(seconds: number): Promise<T | null>;
  close(): Promise<void>;
}

/** pg_stat_database and pg_stat_wal count since the server's start. */
const statement = `
  SELECT xact_commit::float8 AS commits, tup_inserted::float8 AS inserts,
         blks_hit::float8 AS hits, blks_read::float8 AS reads,
         (SELECT wal_bytes::float8 FROM pg_stat_wal) AS wal,
         pg_database_size(current_database())::float8 AS size,
         (SELECT count(*)::int FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()) AS active,
         (SELECT count(*)::int FROM pg_stat_activity
           WHERE state = 'active' AND wait_event_type IN ('Lock', 'LWLock', 'IO')) AS waiting
    FROM pg_stat_database WHERE datname = current_database()`;

interface PostgresCounts {
  readonly commits: number;
  readonly inserts: number;
  readonly hits: number;
  readonly reads: number;
  readonly wal: number;
  readonly size: number;
  readonly active: number;
  readonly waiting: number;
}

const mb = 2 ** 20;

export function lookAtPostgres(url: string): EngineLook<NonNullable<Sample["postgres"]>> {
  const pool = new pg.Pool({ connectionString: url, max: 1, connectionTimeoutMillis: 2_000, query_timeout: 2_000 });
  pool.on("error", () => {});
  let last: PostgresCounts | null = null;
  return {
    async look(seconds) {
      const now = await pool.query<PostgresCounts>(statement).then(
        ({ rows }) => rows[0] ?? null,
        () => null,
      );
      if (now === null) return null;
      const before = last;
      last = now;
      const rate = (name: "commits" | "inserts" | "wal") =>
        before === null ? null : (now[name] - before[name]) / seconds;
      const wal = rate("wal");
      return {
        commitsPerSecond: rate("commits"),
        insertsPerSecond: rate("inserts"),
        cacheHitRatio: before === null ? null : share(now.hits - before.hits, now.reads - before.reads),
        walMbPerSecond: wal === null ? null : wal / mb,
        ...{ active: now.active, waiting: now.waiting, sizeMb: now.size / mb },
      };
    },
    close: () => pool.end(),
  };
}

export function lookAtRedis(port: number): EngineLook<NonNullable<Sample["redis"]>> {
  const client = new Redis({ host: "127.0.0.1", port, commandTimeout: 2_000, maxRetriesPerRequest: 0 });
  client.on("error", () => {});
  let last: { hits: number; misses: number; commands: number } | null = null;
  return {
    async look(seconds) {
      const text = await client.info().catch(() => null);
      if (text === null) return null;
      const info = redisInfo(text);
      const now = {
        hits: info("keyspace_hits"),
        misses: info("keyspace_misses"),
        commands: info("total_commands_processed"),
      };
      const before = last ?? now;
      last = now;
      return {
        memoryMb: info("used_memory") / mb,
        opsPerSecond: (now.commands - before.commands) / seconds,
        hitRatio: share(now.hits - before.hits, now.misses - before.misses),
        clients: info("connected_clients"),
        evicted: info("evicted_keys"),
      };
    },
    async close() {
      client.disconnect();
    },
  };
}

/** Numbers of the reply to INFO by name; 0 where there is none. */
export function redisInfo(text: string): (name: string) => number {
  const fields = new Map(
    text.split(/\r?\n/).flatMap((line): [string, number][] => {
      const at = line.indexOf(":");
      return at <= 0 || line.startsWith("#") ? [] : [[line.slice(0, at), Number(line.slice(at + 1))]];
    }),
  );
  return (name) => fields.get(name) || 0;
}

export const share = (part: number, rest: number): number | null => (part + rest > 0 ? part / (part + rest) : null);
