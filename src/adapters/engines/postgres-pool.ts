import pg from "pg";
import { ConnectionTimeout, isPooled, limits, runScript } from "./postgres-session.ts";

export interface PoolOptions {
  readonly url: string;
  /** Connections at the most. */
  readonly connections: number;
  /** Callers that wait for a connection, at the most; the next is refused at once. */
  readonly waitingMax: number;
  /** How long a caller waits for a connection, be it a free one or a new one. */
  readonly connectTimeoutMs: number;
  /** A connection that nobody wanted for so long is closed. */
  readonly idleTimeoutMs: number;
  /** A connection as old as this is replaced, so that a pooler or a new server behind a name gets its share. */
  readonly lifetimeMs: number;
  /** After so long without use a connection is asked whether it still stands before it is handed out. */
  readonly checkAfterIdleMs: number;
  /** The server ends a statement after this long. */
  readonly statementTimeoutMs: number;
  readonly applicationName: string;
}

/** So many callers wait for a connection that one more was refused. */
export class PoolFull extends Error {
  override readonly name = "PoolFull";
}

export type WaitOutcome = "ok" | "timeout" | "refused" | "failed";

/** Connections of a pool now. */
export interface PoolState {
  readonly max: number;
  readonly total: number;
  readonly idle: number;
  /** Callers without one. */
  readonly waiting: number;
}

/** A connection that is the caller's until `release`; a broken one is thrown away. */
export interface Lease {
  readonly client: pg.PoolClient;
  /** The server does not limit statements of this connection by itself: SET LOCAL has to say so. */
  readonly pooled: boolean;
  release(broken: boolean): void;
}

export interface ConnectionPool {
  acquire(): Promise<Lease>;
  state(): PoolState;
  close(): Promise<void>;
}

/** pg's pool with a bound on who waits, a check of what lay idle, and knowledge of whether a pooler stands before it. */
export function createPool(
  options: PoolOptions,
  onWait: (waitedMs: number, outcome: WaitOutcome) => void,
): ConnectionPool {
  const pooled = new WeakSet<pg.ClientBase>();
  const usedAt = new WeakMap<pg.ClientBase, number>();
  const pool = new pg.Pool({
    ...connectionOptions(options),
    max: options.connections,
    idleTimeoutMillis: options.idleTimeoutMs,
    maxLifetimeSeconds: Math.max(1, Math.round(options.lifetimeMs / 1000)),
    // So that BEGIN, the statement and COMMIT need one round trip.
    pipeline: true,
    onConnect: async (client) => {
      const { connectTimeoutMs, statementTimeoutMs } = options;
      if (await isPooled(client, connectTimeoutMs)) pooled.add(client);
      // Not as a startup parameter, which poolers refuse, or ignore.
      else await runScript(client, limits(statementTimeoutMs), connectTimeoutMs);
      usedAt.set(client, performance.now());
    },
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on("error", () => {});

  function lease(client: pg.PoolClient): Lease {
    // Of a connection in use the pool does not listen to errors either: the statement that runs is rejected by itself.
    const ignore = () => {};
    client.on("error", ignore);
    return {
      client,
      pooled: pooled.has(client),
      release(broken) {
        usedAt.set(client, performance.now());
        client.release(broken);
        client.off("error", ignore);
      },
    };
  }

  async function healthy(): Promise<Lease> {
    const endsAt = performance.now() + options.connectTimeoutMs;
    for (;;) {
      const one = lease(await pool.connect());
      const idleMs = performance.now() - (usedAt.get(one.client) ?? 0);
      if (idleMs <= options.checkAfterIdleMs) return one;
      try {
        await runScript(one.client, "SELECT 1", Math.min(1_000, options.connectTimeoutMs));
        return one;
      } catch {
        // The next may be as old: each is thrown away once, then comes a new one, or the pool's refusal.
        one.release(true);
        if (performance.now() > endsAt) throw new ConnectionTimeout("connections that lay idle no longer answer");
      }
    }
  }

  return {
    async acquire() {
      const startedAt = performance.now();
      const waited = () => performance.now() - startedAt;
      if (pool.waitingCount >= options.waitingMax) {
        onWait(0, "refused");
        throw new PoolFull(`${pool.waitingCount} callers wait for a connection already`);
      }
      try {
        const one = await healthy();
        onWait(waited(), "ok");
        return one;
      } catch (error) {
        onWait(waited(), waited() >= options.connectTimeoutMs - 5 ? "timeout" : "failed");
        throw error;
      }
    },
    state: () => ({
      ...{ max: options.connections, total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount },
    }),
    close: () => pool.end(),
  };
}

/** No startup parameter but the name: PgBouncer refuses others, or ignores them where it is told to. */
export function connectionOptions({
  url,
  connectTimeoutMs,
  applicationName,
}: Pick<PoolOptions, "url" | "connectTimeoutMs" | "applicationName">): pg.ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: applicationName,
  };
}
