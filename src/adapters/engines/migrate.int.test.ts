import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { privatePostgres } from "../../../test/support/engines.ts";
import { isTransaction, type Migration, migrate, readMigrations, statementsOf } from "./migrate.ts";
import { createPostgres } from "./postgres.ts";

const postgres = await privatePostgres({ fsync: false });

describe.skipIf(postgres === null)("migrations", () => {
  const first: Migration = {
    version: 1,
    name: "0001-first",
    sql: "CREATE TABLE first (n int); INSERT INTO first VALUES (1);",
  };
  const second: Migration = { version: 2, name: "0002-second", sql: "CREATE TABLE second (n int);" };
  const broken: Migration = { version: 2, name: "0002-broken", sql: "CREATE TABLE half (n int); SELECT nonsense;" };
  let databases = 0;

  async function emptyDatabase() {
    const name = `migrations${databases++}`;
    const url = new URL(postgres?.url ?? "");
    const admin = createPostgres({ url: url.href, connections: 1 });
    await admin.script(`CREATE DATABASE ${name}`);
    await admin.close();
    url.pathname = `/${name}`;
    return createPostgres({ url: url.href });
  }

  test("are applied once each, in order, and the newer ones later", async () => {
    const sql = await emptyDatabase();
    expect(await migrate(sql, [first])).toEqual(["0001-first"]);
    expect(await migrate(sql, [first])).toEqual([]);
    expect(await migrate(sql, [first, second])).toEqual(["0002-second"]);
    expect(await sql.query("SELECT count(*) FROM first")).toEqual([["1"]]);
    await sql.close();
  });

  test("are applied once by many processes that start together", async () => {
    const sql = await emptyDatabase();
    const applied = await Promise.all(Array.from({ length: 6 }, () => migrate(sql, [first, second])));
    expect(applied.flat().sort()).toEqual(["0001-first", "0002-second"]);
    expect(await sql.query("SELECT count(*) FROM first")).toEqual([["1"]]);
    await sql.close();
  });

  test("one that was edited after it had been applied is refused by its name", async () => {
    const sql = await emptyDatabase();
    await migrate(sql, [first]);
    const edited = { ...first, sql: `${first.sql} -- better` };
    await expect(migrate(sql, [edited, second])).rejects.toThrow("0001-first was edited");
    expect(await sql.query("SELECT to_regclass('second')")).toEqual([[null]]);
    // Windows checks files out with other line ends: that is no edit.
    expect(
      await migrate(
        sql,
        [first].map((one) => ({ ...one, sql: one.sql.replaceAll("\n", "\r\n") })),
      ),
    ).toEqual([]);
    await sql.close();
  });

  test("one that fails leaves nothing of itself; those before it stay", async () => {
    const sql = await emptyDatabase();
    await expect(migrate(sql, [first, broken])).rejects.toThrow("nonsense");
    expect(await sql.query("SELECT to_regclass('first'), to_regclass('half')")).toEqual([["first", null]]);
    expect(await migrate(sql, [first, second])).toEqual(["0002-second"]);
    await sql.close();
  });

  const concurrent: Migration = {
    version: 2,
    name: "0002-concurrent",
    sql: `-- no transaction
-- An attempt of before may have left half an index: a semicolon; in a comment.
DROP INDEX CONCURRENTLY IF EXISTS first_n;
CREATE INDEX CONCURRENTLY first_n ON first (n);
`,
  };

  test("one without a transaction is applied once by many, beside whoever waits for it", async () => {
    const sql = await emptyDatabase();
    await migrate(sql, [first]);
    const applied = await Promise.all(Array.from({ length: 6 }, () => migrate(sql, [first, concurrent])));
    expect(applied.flat()).toEqual(["0002-concurrent"]);
    expect(await sql.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'first_n'::regclass")).toEqual([["t"]]);
    await sql.close();
  });

  test("one without a transaction that fails half-way is done again from its beginning", async () => {
    const sql = await emptyDatabase();
    await migrate(sql, [first]);
    await sql.query("INSERT INTO first VALUES (1)");
    const unique = { ...concurrent, sql: concurrent.sql.replace("CREATE INDEX", "CREATE UNIQUE INDEX") };
    await expect(migrate(sql, [first, unique])).rejects.toMatchObject({ code: "23505" });
    expect(await sql.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'first_n'::regclass")).toEqual([["f"]]);
    await sql.query("DELETE FROM first");
    expect(await migrate(sql, [first, unique])).toEqual(["0002-concurrent"]);
    expect(await sql.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'first_n'::regclass")).toEqual([["t"]]);
    await sql.close();
  });

  test("where nothing is missing no lock is asked for", async () => {
    const sql = await emptyDatabase();
    await migrate(sql, [first]);
    await sql.transaction(async (session) => {
      await session.query("LOCK schema_migrations IN SHARE ROW EXCLUSIVE MODE");
      expect(await migrate(sql, [first], { patienceMs: 0 })).toEqual([]);
    });
    await sql.close();
  });

  test("one that never gets its locks is given up, with the reason", async () => {
    const sql = await emptyDatabase();
    await migrate(sql, [first]);
    const change = { version: 2, name: "0002-change", sql: "ALTER TABLE first ADD COLUMN m int;" };
    await sql.transaction(async (session) => {
      await session.query("SELECT * FROM first");
      const giving = migrate(sql, [first, change], { lockTimeoutMs: 20, patienceMs: 200 });
      await expect(giving).rejects.toThrow("gave up on migration 0002-change: it does not get its locks");
    });
    expect(await migrate(sql, [first, change])).toEqual(["0002-change"]);
    await sql.close();
  });

  test("those of this repository can run under load: what is CONCURRENTLY has no transaction, and the other way round", async () => {
    for (const migration of await readMigrations()) {
      if (isTransaction(migration)) expect(migration.sql).not.toMatch(/^[^-]*CONCURRENTLY/m);
      else for (const one of statementsOf(migration.sql)) expect(one).toMatch(/CONCURRENTLY|VALIDATE CONSTRAINT/);
    }
  });

  test("a database that is newer than the code is refused", async () => {
    const sql = await emptyDatabase();
    await migrate(sql, [first, second]);
    await expect(migrate(sql, [first])).rejects.toThrow("0002-second");
    await sql.close();
  });

  const baseline: Migration = {
    version: 2,
    name: "0002-baseline",
    sql: `-- also applied as ${createHash("sha256").update(second.sql).digest("hex")}\nCREATE TABLE first (n int);\nCREATE TABLE second (n int);`,
  };
  const third: Migration = { version: 3, name: "0003-third", sql: "CREATE TABLE third (n int);" };

  test("a baseline stands for all that it was made of", async () => {
    const empty = await emptyDatabase();
    expect(await migrate(empty, [baseline, third])).toEqual(["0002-baseline", "0003-third"]);
    expect(await migrate(empty, [baseline, third])).toEqual([]);
    await empty.close();

    const old = await emptyDatabase();
    await migrate(old, [first, second]);
    expect(await migrate(old, [baseline, third])).toEqual(["0003-third"]);
    expect(await old.query("SELECT count(*) FROM first")).toEqual([["1"]]);
    await old.close();
  });

  test("a database that stopped before the baseline is refused, and nothing is changed", async () => {
    const sql = await emptyDatabase();
    await migrate(sql, [first]);
    await expect(migrate(sql, [baseline, third])).rejects.toThrow("of before the first release (0001-first)");
    expect(await sql.query("SELECT to_regclass('second'), to_regclass('third')")).toEqual([[null, null]]);
    await sql.close();
  });

  test("those of this repository are numbered without a gap, from the baseline on", async () => {
    const migrations = await readMigrations();
    expect(migrations[0]?.name).toBe("0005-baseline");
    expect(migrations.map((migration) => migration.version)).toEqual(migrations.map((_, i) => i + 5));
  });
});
