import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { privatePostgres } from "../../../../test/support/engines.ts";
import { type MigrateOptions, type Migration, migrate, readMigrations } from "../../engines/migrate.ts";
import { createPostgres } from "../../engines/postgres.ts";
import type { Sql } from "../../engines/sql.ts";
import { newEvents, readAll, request } from "../support.contract.ts";
import { openPostgresLog } from "./log.ts";

/**
 * A migration is applied while writers append as fast as they can and somebody's report has the table open for longer
 * than anyone should: no append fails, and none waits longer than it takes the migration to give up waiting (200 ms) and
 * a busy machine to go on. Invariants 1 and 2 hold meanwhile. The control shows what becomes of it otherwise.
 */
const postgres = await privatePostgres();
const reportMs = 4_000;
const waitMsMax = 2_500;

/** What holds the events: the table, or each of its partitions, since these alone take an index CONCURRENTLY. */
async function tablesOfEvents(sql: Sql): Promise<string[]> {
  const rows = await sql.query("SELECT relid::regclass FROM pg_partition_tree('events') WHERE isleaf");
  return rows.length === 0 ? ["events"] : rows.map(([name]) => name ?? "");
}

async function realistic(sql: Sql): Promise<Migration[]> {
  const before = await readMigrations();
  const next = (i: number, name: string, text: string) => ({
    version: (before.at(-1)?.version ?? 0) + i,
    name,
    sql: text,
  });
  const indexes = (await tablesOfEvents(sql)).map(
    (table, i) => `DROP INDEX CONCURRENTLY IF EXISTS events_source_${i};
CREATE INDEX CONCURRENTLY events_source_${i} ON ${table} (source, position) WHERE source IS NOT NULL;
`,
  );
  return [
    ...before,
    next(
      1,
      "add-column",
      "ALTER TABLE events ADD COLUMN source text, ADD CONSTRAINT short CHECK (source <> '') NOT VALID;",
    ),
    next(2, "index-it", `-- no transaction\n${indexes.join("")}ALTER TABLE events VALIDATE CONSTRAINT short;\n`),
    next(3, "new-default", "ALTER TABLE events ALTER COLUMN source SET DEFAULT 'unknown';"),
  ];
}

async function underLoad(options: MigrateOptions) {
  const url = (await postgres?.createDatabase()) ?? "";
  const log = await openPostgresLog({ url });
  const sql = createPostgres({ url });
  const report = new pg.Client({ connectionString: url });
  await report.connect();
  onTestFinished(async () => {
    await Promise.all([log.close(), sql.close(), report.end()]);
  });
  let waitMs = 0;
  let appends = 0;
  let stop = false;
  const sent: string[] = [];
  async function write(writer: number): Promise<void> {
    while (!stop) {
      const events = newEvents(20);
      const startedAt = performance.now();
      const [result] = await log.append([request(`learner-${writer}`, events)]);
      waitMs = Math.max(waitMs, performance.now() - startedAt);
      expect(result?.status).toBe("appended");
      appends += 1;
      sent.push(...events.map(({ eventId }) => eventId));
    }
  }
  const writers = Promise.all([write(1), write(2), write(3)]);
  writers.catch(() => {});
  await expect.poll(() => appends).toBeGreaterThan(50);
  await report.query("BEGIN");
  await report.query("SELECT count(*) FROM events");
  const reported = sleep(reportMs).then(() => report.query("COMMIT"));
  const applied = await migrate(sql, await realistic(sql), options);
  const then = appends;
  await reported;
  await expect.poll(() => appends).toBeGreaterThan(then + 50);
  stop = true;
  await writers;
  const stored = (await readAll(log, 0, 1_000)).events;
  expect(stored.map(({ position }) => position)).toEqual(stored.map((_, i) => i + 1));
  expect(stored.map(({ eventId }) => eventId).sort()).toEqual(sent.sort());
  return { applied, waitMs };
}

describe.skipIf(postgres === null)("migrations under load", () => {
  test("no append fails or waits long: locks are asked for briefly, again and again", async () => {
    const { applied, waitMs } = await underLoad({});
    expect(applied).toEqual(["add-column", "index-it", "new-default"]);
    expect(waitMs).toBeLessThan(waitMsMax);
  });

  test("control: a migration that waits for its lock keeps all appends waiting behind it", async () => {
    const { waitMs } = await underLoad({ lockTimeoutMs: 0 });
    expect(waitMs).toBeGreaterThan(waitMsMax);
  });
});
