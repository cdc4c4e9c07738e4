import pg from "pg";
import type { Log } from "../../ports/log.ts";
import type { Guard } from "./breaker.ts";
import { listen } from "./postgres-listen.ts";
import {
  connectionOptions,
  createPool,
  type Lease,
  PoolFull,
  type PoolOptions,
  type PoolState,
} from "./postgres-pool.ts";
import { beginLimited, commit, endSession, isPooled, runLimited, runScript, runStatement } from "./postgres-session.ts";
import {
  type Sql,
  SqlError,
  type SqlParam,
  type SqlRow,
  type SqlSession,
  type SqlStatements,
  type TakeRow,
  type TransactionMode,
  toSqlError,
} from "./sql.ts";
import { statementName } from "./statement-name.ts";

export interface PostgresOptions extends Partial<Omit<PoolOptions, "url">> {
  /** Of a server, or of a pooler in transaction mode before it. */
  readonly url: string;
  /** Of the server itself, past the pooler: for LISTEN and migrations. `url` when left out. */
  readonly directUrl?: string | undefined;
  /** Told of each statement and of each wait for a connection; see http/engine-metrics.ts. */
  readonly observe?: (observation: PostgresObservation) => void;
  readonly log?: Pick<Log, "info" | "warn">;
  /** A statement that took longer is logged, by its name, at most once a second for each name. */
  readonly slowStatementMs?: number;
  /** Stands before each statement and transaction of the pool; see breaker.ts. None when left out. */
  readonly guard?: Guard | undefined;
}

export type PostgresObservation =
  /** `error`: SQLSTATE, "connection" where the server did not answer, null where it went well. */
  | { readonly kind: "statement"; readonly name: string; readonly durationMs: number; readonly error: string | null }
  | {
      readonly kind: "wait";
      readonly waitedMs: number;
      /** refused: too many wait already; timeout: none came free in time; failed: no connection to be had. */
      readonly outcome: "ok" | "timeout" | "refused" | "failed";
    };

export type Postgres = Sql & { poolState(): PoolState };

/** Connections 8, who wait 1,000 at most and 5 s, a statement 15 s; a connection lives 30 min, idle .5 min. */
const defaults = {
  connections: 8,
  waitingMax: 1_000,
  connectTimeoutMs: 5_000,
  idleTimeoutMs: 30_000,
  lifetimeMs: 1_800_000,
  checkAfterIdleMs: 5_000,
  statementTimeoutMs: 15_000,
  applicationName: "proximal",
};

const modes: Record<TransactionMode, string> = {
  "read write": "",
  "one snapshot, read only": "ISOLATION LEVEL REPEATABLE READ READ ONLY",
};

/**
 * A pool on a PostgreSQL server, directly or through PgBouncer in transaction mode: no named prepared statement, no
 * session state, no startup parameter. Connects on first use. docs/postgres.md says what that means for operators.
 */
export function createPostgres(given: PostgresOptions): Postgres {
  const options = { ...defaults, ...withoutUndefined(given) };
  const direct = { ...options, url: options.directUrl ?? options.url };
  const watched = watch(options);
  const pool = createPool(options, (waitedMs, outcome) => options.observe?.({ kind: "wait", waitedMs, outcome }));
  // The server's limit comes first; the client's own is for a server that is gone without a word.
  const deadlineMs = options.statementTimeoutMs + 2_000;

  const { guard = (work) => work() } = options;

  function leased<T>(work: (lease: Lease) => Promise<T>, isBroken = cutsConnection): Promise<T> {
    return guard(() => onLease(work, isBroken));
  }

  async function onLease<T>(work: (lease: Lease) => Promise<T>, isBroken: (error: unknown) => boolean): Promise<T> {
    const lease = await pool.acquire().catch(rejectAsSqlError);
    let broken = false;
    try {
      return await work(lease);
    } catch (error) {
      broken = isBroken(error);
      throw error;
    } finally {
      lease.release(broken);
    }
  }

  return {
    ...statementsBy((text, params, take) =>
      leased((lease) =>
        watched(text, () =>
          lease.pooled
            ? runLimited(lease.client, text, params, options.statementTimeoutMs, deadlineMs, take)
            : runStatement(lease.client, text, params, deadlineMs, take).then(({ rows }) => rows),
        ),
      ),
    ),
    script: (text) => leased((lease) => watched(text, () => runScript(lease.client, text, deadlineMs))),
    transaction: (work, mode = "read write") =>
      leased(async ({ client }) => {
        const session = sessionOn(client, deadlineMs, watched);
        await session.script(beginLimited(options.statementTimeoutMs, modes[mode]));
        const result = await work(session);
        await watched("COMMIT", () => commit(client, deadlineMs));
        return result;
        // Where it fails the connection is thrown away, and the server rolls back.
      }, always),
    async session(work) {
      const client = new pg.Client(connectionOptions(direct));
      client.on("error", () => {});
      try {
        await client.connect().catch(rejectAsSqlError);
        const keepsState = !(await isPooled(client, options.connectTimeoutMs).catch(rejectAsSqlError));
        return await work({ ...sessionOn(client, Number.POSITIVE_INFINITY, watched), keepsState });
      } finally {
        await endSession(client);
      }
    },
    listen: (channel, onNotify, onConnected) =>
      listen(direct, channel, {
        notify: onNotify,
        connected: onConnected,
        pooled: () => options.log?.info({}, "a pooler passes no notifications on: asking the log instead"),
      }),
    poolState: pool.state,
    close: pool.close,
  };
}

const always = () => true;

/** Whether the server did not answer, or would not have us; that too many wait for a connection here is not its fault. */
export function isServerGone(error: unknown): boolean {
  if (!(error instanceof SqlError) || error.cause instanceof PoolFull) return false;
  return error.code === null || /^(08|57P|58|53300)/.test(error.code);
}

/** A statement that the server refused or ended leaves its connection as it was. */
function cutsConnection(error: unknown): boolean {
  return !(error instanceof SqlError) || error.code === null || /^(08|57P|58|XX)/.test(error.code);
}

/** Runs a statement, and gives its rows or, with `take`, each to that. */
type Run = (text: string, params: readonly SqlParam[], take?: TakeRow) => Promise<SqlRow[]>;

function statementsBy(run: Run): SqlStatements {
  return {
    query: (text, params = []) => run(text, params),
    async each(text, params, take) {
      // What `take` throws is no failure of the server, and nobody would catch it in the middle of a read from the socket.
      const failures: unknown[] = [];
      await run(text, params, (row) => {
        if (failures.length > 0) return;
        try {
          take(row);
        } catch (error) {
          failures.push(error);
        }
      });
      if (failures.length > 0) throw failures[0];
    },
  };
}

type Watched = <T>(text: string, work: () => Promise<T>) => Promise<T>;

function sessionOn(client: pg.ClientBase, deadlineMs: number, watched: Watched): SqlSession {
  return {
    ...statementsBy((text, params, take) =>
      watched(text, async () => (await runStatement(client, text, params, deadlineMs, take)).rows),
    ),
    script: (text) => watched(text, () => runScript(client, text, deadlineMs)),
  };
}

/** Gives what `work` gives, as SqlError where it fails, and tells how long it took, under the statement's name. */
function watch({ observe, log, slowStatementMs = 1_000 }: PostgresOptions): Watched {
  const loggedAt = new Map<string, number>();
  function logSlow(name: string, durationMs: number, error: string | null): void {
    const now = performance.now();
    if (now - (loggedAt.get(name) ?? Number.NEGATIVE_INFINITY) < 1_000) return;
    loggedAt.set(name, now);
    log?.warn({ statement: name, durationMs: Math.round(durationMs), error }, "slow statement");
  }
  return async (text, work) => {
    const startedAt = performance.now();
    let error: string | null = null;
    try {
      return await work();
    } catch (thrown) {
      const sqlError = toSqlError(thrown);
      error = sqlError.code ?? "connection";
      throw sqlError;
    } finally {
      const durationMs = performance.now() - startedAt;
      if (observe !== undefined || durationMs >= slowStatementMs) {
        const name = statementName(text);
        observe?.({ kind: "statement", name, durationMs, error });
        if (durationMs >= slowStatementMs) logSlow(name, durationMs, error);
      }
    }
  };
}

function rejectAsSqlError(error: unknown): never {
  throw toSqlError(error);
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
