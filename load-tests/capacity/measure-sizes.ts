import { gzipSync } from "node:zlib";
import { createPostgres } from "../../src/adapters/engines/postgres.ts";
import { openPostgresLog } from "../../src/adapters/event-store/postgres/log.ts";
import { encodeMessage } from "../../src/adapters/event-stream/messages.ts";
import { answer, learnerOf } from "../bench/course.ts";
import { nextPath } from "../bench/proximal-app.ts";
import { type RoleProcess, redisInfo, type Stack, until } from "./stack.ts";

/** Bytes at rest and on the wire. */

export interface LogSize {
  readonly position: number;
  readonly bytes: number;
  readonly wal: number;
}

/** Tables and indexes that hold events, and the write-ahead log so far. */
export async function logSize({ sql }: Stack): Promise<LogSize> {
  const { rows } = await sql.query(`
    SELECT (SELECT position FROM log_head) AS position,
      (SELECT sum(pg_total_relation_size(oid)) FROM pg_class
        WHERE relkind = 'r' AND (relname LIKE 'events_0%' OR relname IN ('event_ids', 'stream_heads'))) AS bytes,
      pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS wal`);
  return { position: Number(rows[0].position), bytes: Number(rows[0].bytes), wal: Number(rows[0].wal) };
}

export async function eventBytes({ sql }: Stack, type: string): Promise<number> {
  const { rows } = await sql.query(
    "SELECT avg(octet_length(data::text) + octet_length(metadata::text)) AS bytes FROM events WHERE type = $1",
    [type],
  );
  return Number(rows[0].bytes ?? 0);
}

/** Mean bytes of everything that Redis holds under the names of the first learners. */
export async function learnerBytes({ redisClient }: Stack, learners: number): Promise<number> {
  const count = Math.min(learners, 500);
  const wanted = new Set(Array.from({ length: count }, (_, n) => learnerOf(n)));
  const [, keys] = await redisClient.scan(0, "MATCH", "*:learner:*", "COUNT", 10_000_000);
  const own = keys.filter((key) => wanted.has(/:learner:([^:}]+)/.exec(key)?.[1] ?? ""));
  if (own.length < count) throw new Error(`Redis has ${own.length} rows of ${count} learners`);
  const sizes = await Promise.all(own.map((key) => redisClient.memory("USAGE", key, "SAMPLES", 0)));
  return sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0) / count;
}

/** Everything but rows of learners. */
export async function redisBase({ redisClient }: Stack): Promise<number> {
  const [, keys] = await redisClient.scan(0, "MATCH", "*:learner:*", "COUNT", 10_000_000);
  const sizes = await Promise.all(keys.map((key) => redisClient.memory("USAGE", key, "SAMPLES", 0)));
  const rows = sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0);
  return Math.max(0, (await redisInfo(redisClient, "used_memory")) - rows);
}

/** Some interactions as messages of Kafka, and as lines of a file of the archive over their own length. */
export async function otherForms({ databaseUrl }: Stack) {
  const sql = createPostgres({ url: databaseUrl });
  const log = await openPostgresLog({ sql });
  try {
    const filter = { categories: ["learner"], types: ["InteractionRecorded"] };
    const { events: own } = await log.read(0, 500, filter);
    const bytes = own.map((event) => {
      const { key, value, headers } = encodeMessage({ partition: 0, position: event.position, prev: 0, event });
      return Buffer.byteLength(key) + Buffer.byteLength(value) + Buffer.byteLength(Object.entries(headers).join(""));
    });
    const lines = own.map((event) => JSON.stringify(event)).join("\n");
    const payload = own.reduce(
      (sum, { data, metadata }) => sum + JSON.stringify(data).length + JSON.stringify(metadata).length,
      0,
    );
    return {
      kafkaPerInteraction: bytes.reduce((sum, size) => sum + size, 0) / Math.max(1, own.length),
      archiveRatio: gzipSync(lines).length / payload,
    };
  } finally {
    await log.close();
    await sql.close();
  }
}

/** Lists that a process with the sample 1 gives out and records, and what each adds to the log. */
export async function servedListBytes(stack: Stack, perInteraction: number): Promise<number> {
  const serving = await stack.start("api", { PROXIMAL_SERVED_SAMPLE: "1" });
  const learners = 500;
  const before = await logSize(stack);
  for (let learner = 0; learner < learners; learner += 1) await serving.request("GET", nextPath(learner));
  // Recorded beside the answers: a moment later.
  await until(
    10_000,
    "served lists are recorded",
    async () => (await stack.head()) >= before.position + learners * 0.9,
  );
  await serving.stop();
  const after = await logSize(stack);
  const served = after.position - before.position;
  // Pages and indexes grow in steps: the payload says how much more than an interaction a list takes.
  const more = (await eventBytes(stack, "ItemsServed")) - (await eventBytes(stack, "InteractionRecorded"));
  return served === 0 ? perInteraction : perInteraction + more;
}

export interface WireBytes {
  readonly request: number;
  readonly response: number;
}

/** A request and its answer on HTTP/1.1 with what any client sends. */
export async function wireBytes(
  api: RoleProcess,
  key: string,
  method: "GET" | "POST",
  path: string,
): Promise<WireBytes> {
  const body = method === "POST" ? JSON.stringify(answer(1, 9000)) : undefined;
  const sent = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const response = await fetch(`${api.url}${path}`, { method, headers: sent, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  const headers = (all: Iterable<[string, string]>): number =>
    [...all].reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  const length = body === undefined ? 0 : Buffer.byteLength(body) + `content-length: ${body.length}\r\n`.length;
  return {
    request:
      `${method} ${path} HTTP/1.1\r\nhost: api.example.org\r\n\r\n`.length + headers(Object.entries(sent)) + length,
    response: `HTTP/1.1 ${response.status} OK\r\n\r\n`.length + headers(response.headers) + Buffer.byteLength(text),
  };
}
