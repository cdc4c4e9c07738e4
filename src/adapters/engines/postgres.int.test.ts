import { describe, expect, onTestFinished, test } from "vitest";
import { sharedPostgres } from "../../../test/support/engines.ts";
import { openFaultLine } from "../../../test/support/fault-line.ts";
import { createPostgres, type PostgresObservation, type PostgresOptions } from "./postgres.ts";
import { SqlError, type SqlRow, toSqlError } from "./sql.ts";

const postgres = await sharedPostgres();

describe.skipIf(postgres === null)("the pool", () => {
  async function open(options: Partial<PostgresOptions> = {}) {
    const seen: PostgresObservation[] = [];
    const url = options.url ?? postgres?.url ?? "";
    const sql = createPostgres({ ...options, url, observe: (one) => seen.push(one) });
    onTestFinished(() => sql.close());
    return { sql, seen, waits: () => seen.filter((one) => one.kind === "wait").map(({ outcome }) => outcome) };
  }

  test("who comes when all connections are taken waits, up to a number and a time, and each is told", async () => {
    const { sql, waits } = await open({ connections: 1, waitingMax: 1, connectTimeoutMs: 300 });
    await sql.query("SELECT 1");
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const held = sql.transaction(() => released);
    while (sql.poolState().idle > 0) await new Promise(setImmediate);
    const waiting = sql.query("SELECT 1");
    expect(sql.poolState()).toMatchObject({ max: 1, total: 1, waiting: 1 });
    await expect(sql.query("SELECT 1")).rejects.toMatchObject({ name: "SqlError", transient: true });
    await expect(waiting).rejects.toMatchObject({ name: "SqlError", transient: true });
    release();
    await held;
    expect(waits()).toEqual(["ok", "ok", "refused", "timeout"]);
    expect(await sql.query("SELECT 1")).toEqual([["1"]]);
  });

  test("a transaction that fails leaves nothing, and its connection is not used again", async () => {
    const { sql } = await open({ url: (await postgres?.createDatabase()) ?? "", connections: 1 });
    await sql.query("CREATE TABLE t (n int)");
    const failing = sql.transaction(async (session) => {
      await session.query("INSERT INTO t VALUES (1)");
      throw new Error("changed my mind");
    });
    await expect(failing).rejects.toThrow("changed my mind");
    const swallowing = sql.transaction(async (session) => {
      await session.query("INSERT INTO t VALUES (1)");
      await session.query("SELECT nonsense").catch(() => {});
    });
    await expect(swallowing).rejects.toThrow("ended with ROLLBACK");
    expect(await sql.query("SELECT count(*) FROM t")).toEqual([["0"]]);
    await sql.transaction(async (session) => void (await session.query("INSERT INTO t VALUES (1)")));
    expect(await sql.query("SELECT count(*) FROM t")).toEqual([["1"]]);
  });

  test("a connection that died without a word while it lay idle costs a second, not the statement", async () => {
    const line = await openFaultLine(postgres?.url ?? "");
    onTestFinished(line.close);
    const { sql } = await open({ url: line.url, connections: 2, checkAfterIdleMs: 0 });
    await Promise.all([sql.query("SELECT 1"), sql.query("SELECT 1")]);
    line.goSilent();
    expect(await sql.query("SELECT 2")).toEqual([["2"]]);
  });

  test("a statement that is never answered is given up after its time, and is a failed connection", async () => {
    const line = await openFaultLine(postgres?.url ?? "");
    onTestFinished(line.close);
    const { sql } = await open({ url: line.url, statementTimeoutMs: 100 });
    await sql.query("SELECT 1");
    line.goSilent();
    await expect(sql.query("SELECT 2")).rejects.toMatchObject({ code: null, transient: true });
  });

  test("rows are given away as they come", async () => {
    const { sql } = await open();
    const rows: SqlRow[] = [];
    const take = (row: SqlRow) => void rows.push(row);
    await sql.each("SELECT n, NULL FROM generate_series(1, $1::int) AS n", [1_000], take);
    expect(rows).toEqual(Array.from({ length: 1_000 }, (_, n) => [String(n + 1), null]));
    await expect(sql.each("SELECT 1 / (2 - n) FROM generate_series(1, 2) AS n", [], take)).rejects.toThrow(SqlError);
    expect(rows).toHaveLength(1_001);
  });

  test("what goes wrong with a row that is given away is the statement's failure, and the connection goes on", async () => {
    const { sql } = await open({ connections: 1 });
    const pid = async () => (await sql.query("SELECT pg_backend_pid()"))[0]?.[0];
    const before = await pid();
    let taken = 0;
    const failure = new Error("not this one");
    const refuse = () => {
      taken += 1;
      throw failure;
    };
    await expect(sql.each("SELECT generate_series(1, 10)", [], refuse)).rejects.toBe(failure);
    expect(taken).toBe(1);
    expect(await pid()).toBe(before);
  });

  test("an old connection is replaced", async () => {
    const { sql } = await open({ connections: 1, lifetimeMs: 1_000 });
    const pid = async () => (await sql.query("SELECT pg_backend_pid()"))[0]?.[0];
    const first = await pid();
    while ((await pid()) === first) await new Promise((resolve) => setTimeout(resolve, 50));
  });

  test("statements are told by name, slow ones logged by name, and values by neither", async () => {
    const lines: object[] = [];
    const log = { info() {}, warn: (fields: object, message: string) => void lines.push({ ...fields, message }) };
    const { sql, seen } = await open({ log, slowStatementMs: 50 });
    await sql.query("/* test.slow */ SELECT pg_sleep($1::float8), $2::text", [0.1, "ada's secret"]);
    await expect(sql.query("SELECT 1 / $1::int", [0])).rejects.toThrow(SqlError);
    expect(seen.filter((one) => one.kind === "statement")).toMatchObject([
      { name: "test.slow", error: null },
      { name: "SELECT", error: "22012" },
    ]);
    expect(lines).toEqual([
      { statement: "test.slow", durationMs: expect.any(Number), error: null, message: "slow statement" },
    ]);
    expect(JSON.stringify([seen, lines])).not.toContain("secret");
  });
});

test("EPIPE has five letters and is no SQLSTATE: the connection broke, and trying again may help", () => {
  const broken = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
  expect(toSqlError(broken)).toMatchObject({ code: null, transient: true });
  expect(toSqlError(Object.assign(new Error("x"), { code: "57P01" }))).toMatchObject({
    code: "57P01",
    transient: true,
  });
  expect(toSqlError(Object.assign(new Error("x"), { code: "23505" }))).toMatchObject({
    code: "23505",
    transient: false,
  });
});

test("where a name has several addresses and none answers, the error says so", () => {
  const error = toSqlError(new AggregateError([new Error("connect ::1"), new Error("connect 127.0.0.1")], ""));
  expect(error.message).toBe("connect ::1; connect 127.0.0.1");
});
