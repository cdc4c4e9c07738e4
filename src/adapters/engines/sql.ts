export type SqlParam = string | number | boolean | null | Uint8Array;
/** Columns in order, each in the server's text form. */
export type SqlRow = readonly (string | null)[];

/** Told of each row as it comes. */
export type TakeRow = (row: SqlRow) => void;

export interface SqlStatements {
  /**
   * One statement, under the name it begins with as a comment (`/* log.append *\/ SELECT ...`). Arrays go in as literals,
   * see {@link arrayLiteral}. Rejects with {@link SqlError}.
   */
  query(text: string, params?: readonly SqlParam[]): Promise<SqlRow[]>;
  /**
   * The same where rows are many: `take` is called with each as it comes, and only what is made of it stays in memory. Rejects with what
   * `take` throws, when the statement is over.
   */
  each(text: string, params: readonly SqlParam[], take: TakeRow): Promise<void>;
}

/** What an adapter needs of one PostgreSQL session. */
export interface SqlSession extends SqlStatements {
  /** Several statements without parameters. */
  script(text: string): Promise<void>;
}

/** One connection that nobody else uses meanwhile, without a limit of time. */
export interface OwnSession extends SqlSession {
  /**
   * False behind a pooler that hands connections out by the transaction: then nothing may be set or locked that is to
   * outlast a transaction.
   */
  readonly keepsState: boolean;
}

/** How a transaction reads; "read write" is PostgreSQL's default. */
export type TransactionMode = "read write" | "one snapshot, read only";

/** PostgreSQL, be it a pool of connections to a server or PGlite in this process. */
export interface Sql extends SqlSession {
  /** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
  transaction<T>(work: (session: SqlSession) => Promise<T>, mode?: TransactionMode): Promise<T>;
  /**
   * Runs `work` on a connection of its own, past a pooler where the direct way is known: for migrations. The caller ends
   * its own transactions.
   */
  session<T>(work: (session: OwnSession) => Promise<T>): Promise<T>;
  /**
   * Calls `onNotify` with the payload of each NOTIFY on the channel, on a connection of its own that comes back by
   * itself, and `onConnected` each time it stands (notifications may have been missed before). Resolves after the first
   * try; the function it gives ends it. Behind a pooler notifications do not arrive, and nothing is called: whoever
   * waits has to look for himself now and then.
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

/** Not each word of five letters: EPIPE is a connection that broke. */
const sqlState = /^(\d\d|F0|HV|P0|XX)[0-9A-Z]{3}$/;

/** Wraps what an engine threw: anything without a SQLSTATE is a failed connection. */
export function toSqlError(error: unknown): SqlError {
  if (error instanceof SqlError) return error;
  const message = messageOf(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return new SqlError(message, typeof code === "string" && sqlState.test(code) ? code : null, error);
}

/** Where a name has several addresses, and none answers, Node's error holds one for each and says nothing itself. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
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
