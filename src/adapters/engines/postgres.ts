import pg from "pg";
import { type Sql, type SqlParam, type SqlRow, type SqlSession, toSqlError } from "./sql.ts";

export interface PostgresOptions {
  readonly url: string;
  /** Connections at the most, apart from one for LISTEN. */
  readonly connections?: number;
  /** A statement is cancelled by the server after this long. A pooler must let this startup parameter pass. */
  readonly statementTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
}

/** Text as the server sends it: an adapter converts the few columns that need it, which is faster than pg's parsers. */
const asText = { getTypeParser: () => (value: string) => value };

/** A pool on a PostgreSQL server. Connects on first use. */
export function createPostgres(options: PostgresOptions): Sql {
  const { statementTimeoutMs = 15_000, connectTimeoutMs = 5_000 } = options;
  const connection = {
    connectionString: options.url,
    statement_timeout: statementTimeoutMs,
    // The server may be gone without a word: the client's own deadline comes a little after the server's.
    query_timeout: statementTimeoutMs + 2_000,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    application_name: "proximal",
  };
  const pool = new pg.Pool({ ...connection, max: options.connections ?? 8 });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on("error", () => {});

  return {
    ...sessionOn(pool),
    async session(work) {
      const client = await pool.connect().catch((error: unknown) => Promise.reject(toSqlError(error)));
      let broken = true;
      try {
        const result = await work(sessionOn(client));
        broken = false;
        return result;
      } finally {
        // After a failure the session may stand in a transaction: it is thrown away.
        client.release(broken);
      }
    },
    listen: (channel, onNotify, onConnected) =>
      listen(() => new pg.Client({ ...connection, query_timeout: undefined }), channel, onNotify, onConnected),
    close: () => pool.end(),
  };
}

function sessionOn(client: pg.Pool | pg.PoolClient): SqlSession {
  return {
    async query(text: string, params: readonly SqlParam[] = []): Promise<SqlRow[]> {
      try {
        const values = params.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
        const result = await client.query<(string | null)[]>({ text, values, rowMode: "array", types: asText });
        return result.rows;
      } catch (error) {
        throw toSqlError(error);
      }
    },
    async script(text: string): Promise<void> {
      try {
        await client.query(text);
      } catch (error) {
        throw toSqlError(error);
      }
    },
  };
}

const reconnectMs = { first: 100, max: 5_000 };

async function listen(
  newClient: () => pg.Client,
  channel: string,
  onNotify: (payload: string) => void,
  onConnected: () => void,
): Promise<() => Promise<void>> {
  let client: pg.Client | null = null;
  let retry: NodeJS.Timeout | null = null;
  let delayMs = reconnectMs.first;
  let closed = false;

  async function connect(): Promise<void> {
    const next = newClient();
    let ended = false;
    const lost = () => {
      if (ended) return;
      ended = true;
      next.end().catch(() => {});
      if (client === next) client = null;
      if (!closed) retryLater();
    };
    next.on("error", lost);
    next.on("end", lost);
    next.on("notification", (message) => onNotify(message.payload ?? ""));
    try {
      await next.connect();
      await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    } catch {
      lost();
      return;
    }
    if (closed) return lost();
    client = next;
    delayMs = reconnectMs.first;
    onConnected();
  }

  function retryLater(): void {
    retry = setTimeout(() => void connect(), delayMs);
    delayMs = Math.min(delayMs * 2, reconnectMs.max);
  }

  await connect();
  return async () => {
    closed = true;
    if (retry !== null) clearTimeout(retry);
    await client?.end().catch(() => {});
  };
}
