import { describe, expect, test } from "vitest";
import { privatePostgres } from "../../../test/support/engines.ts";
import { type Migration, migrate, readMigrations } from "./migrate.ts";
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
    expect(applied.flat()).toEqual(["0001-first", "0002-second"]);
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

  test("one that fails leaves nothing of itself or of those before it", async () => {
    const sql = await emptyDatabase();
    await expect(migrate(sql, [first, broken])).rejects.toThrow("nonsense");
    expect(await sql.query("SELECT to_regclass('first'), to_regclass('half')")).toEqual([[null, null]]);
    expect(await migrate(sql, [first, second])).toEqual(["0001-first", "0002-second"]);
    await sql.close();
  });

  test("a database that is newer than the code is refused", async () => {
    const sql = await emptyDatabase();
    await migrate(sql, [first, second]);
    await expect(migrate(sql, [first])).rejects.toThrow("0002-second");
    await sql.close();
  });

  test("those of this repository are numbered without a gap", async () => {
    const migrations = await readMigrations();
    expect(migrations.map((migration) => migration.version)).toEqual(migrations.map((_, i) => i + 1));
    expect(migrations.length).toBeGreaterThanOrEqual(2);
  });
});
