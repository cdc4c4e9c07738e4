import { randomUUID } from "node:crypto";
import { migrate, readMigrations } from "../../src/adapters/engines/migrate.ts";
import { createPostgres } from "../../src/adapters/engines/postgres.ts";
import type { Sql } from "../../src/adapters/engines/sql.ts";

/** A database of before migration 0004, beside the one at this URL: one table of events, and the append of then. */
export async function logBeforeSegments(url: string, name = "before_0004"): Promise<Sql> {
  const there = createPostgres({ url });
  await there.query(`CREATE DATABASE ${name} TEMPLATE template0`);
  await there.close();
  const own = new URL(url);
  own.pathname = `/${name}`;
  const sql = createPostgres({ url: own.href, statementTimeoutMs: 900_000 });
  const before = (await readMigrations()).filter(({ version }) => version < 4);
  await migrate(sql, before);
  return sql;
}

const append = `/* log.append of before */ SELECT first_position FROM append_events(
  $1::text[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::json[], $7::json[], $8::timestamptz[])`;

/** Appends events to a stream as processes of then did, and gives the position of the first. */
export async function appendOfBefore(sql: Sql, stream: string, events: number): Promise<number> {
  const all = (text: string): string => `{${Array.from({ length: events }, () => JSON.stringify(text)).join(",")}}`;
  const ids = Array.from({ length: events }, () => randomUUID());
  const revisions = `{${Array.from({ length: events }, () => "NULL").join(",")}}`;
  const [row] = await sql.query(append, [
    ...[all(stream), all("learner"), revisions, `{${ids.join(",")}}`, all("InteractionRecorded")],
    ...[all("{}"), all('{"schemaVersion":1}'), all("2026-02-01T00:00:00Z")],
  ]);
  return Number(row?.[0]);
}
