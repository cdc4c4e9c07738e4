import pg from "pg";
import type { SqlParam, SqlRow, TakeRow } from "./sql.ts";

/** Text as the server sends it: an adapter converts the few columns that need it, which is faster than pg's parsers. */
const asText = { getTypeParser: () => (value: string) => value };

/** A connection was not to be had, or did not answer, in time. */
export class ConnectionTimeout extends Error {
  override readonly name = "ConnectionTimeout";
}

/**
 * One statement with its own deadline, after which the connection is cut, for a server or a pooler that no longer
 * answers. (There is no cancel request: PgBouncer 1.18.0 ends itself, with the connections of all, when whoever sent one
 * hangs up early. A statement that runs is ended by the server's statement_timeout.)
 */
export async function runStatement(
  client: pg.ClientBase,
  text: string,
  params: readonly SqlParam[],
  deadlineMs: number,
  take?: TakeRow,
): Promise<pg.QueryArrayResult<(string | null)[]>> {
  const values = params.map((value) => (value instanceof Uint8Array ? asBuffer(value) : value));
  const statement = { text, values, rowMode: "array", types: asText } as const;
  return withDeadline(client, deadlineMs, () =>
    take === undefined ? client.query<(string | null)[]>(statement) : giveAway(client, statement, take),
  );
}

type Statement = pg.QueryArrayConfig & { readonly types: typeof asText };

function giveAway(client: pg.ClientBase, statement: Statement, take: TakeRow) {
  return new Promise<pg.QueryArrayResult<(string | null)[]>>((resolve, reject) => {
    // Without a callback, which would have all rows kept.
    const query = new pg.Query<(string | null)[]>(statement);
    query.on("row", take);
    query.on("error", reject);
    query.on("end", (result) => resolve(result as unknown as pg.QueryArrayResult<(string | null)[]>));
    client.query(query);
  });
}

/** pg takes Buffers; the bytes are the same, not a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Several statements without parameters. */
export async function runScript(client: pg.ClientBase, text: string, deadlineMs: number): Promise<void> {
  await withDeadline(client, deadlineMs, () => client.query(text));
}

/** The same, in a transaction in which the server ends it after `timeoutMs`: one round trip, on a pipelined connection. */
export async function runLimited(
  client: pg.ClientBase,
  text: string,
  params: readonly SqlParam[],
  timeoutMs: number,
  deadlineMs: number,
  take?: TakeRow,
): Promise<SqlRow[]> {
  const [begun, done, ended] = await Promise.allSettled([
    runScript(client, beginLimited(timeoutMs), deadlineMs),
    runStatement(client, text, params, deadlineMs, take),
    commit(client, deadlineMs),
  ]);
  // Of a failed transaction COMMIT makes a ROLLBACK: what went wrong is what came first.
  if (begun.status === "rejected") throw begun.reason;
  if (done.status === "rejected") throw done.reason;
  if (ended.status === "rejected") throw ended.reason;
  return done.value.rows;
}

export async function commit(client: pg.ClientBase, deadlineMs: number): Promise<void> {
  const { command } = await runStatement(client, "COMMIT", [], deadlineMs);
  if (command !== "COMMIT") throw new Error(`a transaction that was to be committed ended with ${command}`);
}

/** What holds for all statements on a connection that is ours alone. */
export const limits = (timeoutMs: number): string => limitsBy("SET", timeoutMs);

/** SET LOCAL ends with the transaction: a pooler gives the connection to somebody else then. */
export function beginLimited(timeoutMs: number, mode = ""): string {
  return `BEGIN ${mode}; ${limitsBy("SET LOCAL", timeoutMs)}`;
}

/**
 * Never compiled (jit): the planner takes a page of the feed for dear once the log has 150,000 events, and compiling it, 5 ms of a
 * core and more, is done again for each read of what takes .6 ms. See docs/adr/0067-statements-are-not-compiled.md.
 */
const limitsBy = (set: "SET" | "SET LOCAL", timeoutMs: number): string =>
  `${set} statement_timeout = ${Math.ceil(timeoutMs)}; ${set} jit = off`;

async function withDeadline<T>(client: pg.ClientBase, deadlineMs: number, work: () => Promise<T>): Promise<T> {
  if (deadlineMs === Number.POSITIVE_INFINITY) return work();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    hangUp(client);
  }, deadlineMs);
  try {
    return await work();
  } catch (error) {
    if (late) throw new ConnectionTimeout(`no answer within ${deadlineMs} ms`, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Says goodbye, and cuts the connection where nobody listens any more. */
export async function endSession(client: pg.Client): Promise<void> {
  const patience = setTimeout(hangUp, 1_000, client);
  await client.end().catch(() => {});
  clearTimeout(patience);
}

/** Cuts the connection, whatever runs on it: `end` would wait for statements that are on their way. */
export function hangUp(client: pg.ClientBase): void {
  if (client instanceof pg.Client) client.connection.stream.destroy();
}

/**
 * Whether somebody stands between, who gives this connection's statements to one backend after another: the backend then
 * has another process id than the one that the connection was greeted with.
 */
export async function isPooled(client: pg.ClientBase, deadlineMs: number): Promise<boolean> {
  const { rows } = await runStatement(client, "SELECT pg_backend_pid()", [], deadlineMs);
  return !("processID" in client) || String(client.processID) !== rows[0]?.[0];
}
