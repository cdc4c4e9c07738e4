import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createPostgres } from "../src/adapters/engines/postgres.ts";
import { openPostgresLog } from "../src/adapters/event-store/postgres/log.ts";
import { newEvents, request } from "../src/adapters/event-store/support.contract.ts";
import { commandLine } from "./e2e/command-line.ts";
import { privatePgbouncer, privatePostgres } from "./support/engines.ts";

const folder = join(import.meta.dirname, "../infra/postgres");
const postgresConf = join(folder, "postgresql.conf");
const pgbouncerIni = join(folder, "pgbouncer.ini");
const postgres = await privatePostgres({ configFile: postgresConf });
const pgbouncer = postgres === null ? null : await privatePgbouncer(postgres.url, { configFile: pgbouncerIni });

/** name -> value, of the lines that set something. */
function settingsOf(file: string): Map<string, string> {
  const lines = readFileSync(file, "utf8").matchAll(/^(\w+) = (.*)$/gm);
  return new Map([...lines].map(([, name = "", value = ""]) => [name, value]));
}

test.each([postgresConf, pgbouncerIni])("%s gives a reason for each setting", (file) => {
  let reasons = 0;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (/^[#;] (?!--)/.test(line)) reasons += 1;
    else if (/^\w+ = /.test(line)) expect(reasons, `reason for ${line}`).toBeGreaterThan(0);
    else reasons = 0;
  }
});

describe.skipIf(postgres === null)("infra/postgres/postgresql.conf", () => {
  test("a real server takes every line of it", async () => {
    const sql = createPostgres({ url: postgres?.url ?? "" });
    const rows = await sql.query(
      "SELECT name, setting, error FROM pg_file_settings WHERE sourcefile LIKE '%given.conf' ORDER BY sourceline",
    );
    expect(rows.map(([name]) => name)).toEqual([...settingsOf(postgresConf).keys()]);
    expect(rows.filter(([, , error]) => error !== null)).toEqual([]);
    const [durable] = await sql.query(
      "SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')",
    );
    expect(durable).toEqual(["on", "on", "on"]);
    await sql.close();
  });

  test("what learners did is not in its log, however slow or wrong the statement", async () => {
    const sql = createPostgres({ url: postgres?.url ?? "" });
    await sql.query("/* test.slow */ SELECT pg_sleep(1.1), $1::text", ["ada's secret"]);
    await expect(sql.query("/* test.wrong */ SELECT 1 / 0, $1::text", ["ada's secret"])).rejects.toThrow();
    await expect.poll(() => postgres?.log()).toMatch(/duration: .*test\.slow/s);
    await expect.poll(() => postgres?.log()).toContain("test.wrong");
    expect(postgres?.log()).not.toContain("secret");
    await sql.close();
  });
});

test.skipIf(postgres === null)(
  "proximal migrate brings an empty database up to date, and then has nothing to do",
  async () => {
    const sql = createPostgres({ url: postgres?.url ?? "" });
    await sql.query("CREATE DATABASE to_migrate");
    await sql.close();
    const url = new URL(postgres?.url ?? "");
    url.pathname = "/to_migrate";
    const cli = commandLine({ DATABASE_URL: url.href });
    expect((await cli.run("migrate", "--json")).json.applied[0]).toMatch(/^0005-baseline/);
    expect((await cli.run("migrate")).stdout).toContain("up to date");
    const nowhere = await commandLine({ DATABASE_URL: "postgres://u:secret@127.0.0.1:1/none" }).run("migrate");
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining("(DATABASE_URL) cannot be used")]);
    expect(nowhere.stderr).not.toContain("secret");
  },
);

describe.skipIf(pgbouncer === null)("infra/postgres/pgbouncer.ini", () => {
  test("a real PgBouncer takes every line of it, and the log works through it", async () => {
    const config = (await pgbouncer?.admin("SHOW CONFIG")) ?? [];
    const values = new Map(config.map(({ key, value }) => [key, value]));
    // The database is no setting; where to listen, and whom to believe, is the test's own.
    const own = ["proximal", "listen_addr", "listen_port", "auth_type", "auth_file"];
    for (const [name, value] of settingsOf(pgbouncerIni)) {
      if (!own.includes(name)) expect([name, values.get(name)]).toEqual([name, value]);
    }
    const url = (await postgres?.createDatabase()) ?? "";
    const log = await openPostgresLog({ url: pgbouncer?.through(url) ?? "", directUrl: url });
    expect(await log.append([request("learner-1", newEvents(3))])).toMatchObject([{ status: "appended", position: 3 }]);
    await log.close();
  });
});
