export type SqlParam = string | number | boolean | null | Uint8Array;
/** Columns in order, each in the server's text form. */
export type SqlRow = readonly (string | null)[];

/** What an adapter needs of one PostgreSQL session. */
export interface SqlSession {
  /** One statement. Arrays go in as literals, see {@link arrayLiteral}. Rejects with {@link SqlError}. */
  query(text: string, params?: readonly SqlParam[]): Promise<SqlRow[]>;
  /** Several statements without parameters. */
  script(text: string): Promise<void>;
}

/** PostgreSQL, be it a pool of connections to a server or PGlite in this process. */
export interface Sql extends SqlSession {
  /** Runs `work` on one connection that nobody else uses meanwhile. The caller ends its own transactions. */
  session<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  /**
   * Calls `onNotify` with the payload of each NOTIFY on the channel, on a connection of its own that comes back by
   * itself, and `onConnected` each time it stands (notifications may have been missed before). Resolves when it first
   * stands; the function it gives ends it.
   */
  listen(channel: string, onNotify: (payload: string) => void, onConnected: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** A statement failed. `code` is the SQLSTATE, null where the server did not answer. */
export class SqlError extends Error {
  override readonly name = "SqlError";
  readonly code: string | null;
  constructor(message: string, code: string | null, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }

  /**
   * Whether the trouble lies with the connection or the state of the server, so that the same statement may succeed
   * later: classes 08 (connection), 53 (resources), 57 (shutdown, statement timeout), 58 (system), 40 (deadlock,
   * serialization), 55P03 (lock timeout) and 25006 (a server that became a standby).
   */
  get transient(): boolean {
    return this.code === null || /^(08|53|57|58|40)/.test(this.code) || this.code === "55P03" || this.code === "25006";
  }
}

/** Wraps what an engine threw: anything without a SQLSTATE is a failed connection. */
export function toSqlError(error: unknown): SqlError {
  if (error instanceof SqlError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return new SqlError(message, typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : null, error);
}

/** The literal of a one-dimensional array of text, to be cast by the statement: `$1::text[]`. */
export function arrayLiteral(values: readonly (string | number | null)[]): string {
  let literal = "{";
  for (const value of values) {
    if (literal.length > 1) literal += ",";
    if (value === null) literal += "NULL";
    else if (typeof value === "number") literal += value;
    else literal += `"${/["\\]/.test(value) ? value.replace(/["\\]/g, "\\$&") : value}"`;
  }
  return `${literal}}`;
}
