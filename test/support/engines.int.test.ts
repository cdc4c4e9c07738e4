import { Redis } from "ioredis";
import pg from "pg";
import { afterEach, describe, expect, test, vi } from "vitest";
import { orSkip, privateRedis, sharedPostgres } from "./engines.ts";
import { startPostgres } from "./postgres.ts";
import { startRedis } from "./redis.ts";

const postgres = await sharedPostgres();
const redis = await privateRedis();

describe.skipIf(postgres === null)("private PostgreSQL", () => {
  test("gives migrated databases that know nothing of each other, with fsync on", async () => {
    const urls = await Promise.all([postgres?.createDatabase(), postgres?.createDatabase()]);
    const counts = [];
    for (const [i, url] of urls.entries()) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query("UPDATE log_head SET position = position + $1", [i]);
      counts.push(
        (await client.query("SELECT position::int, current_setting('fsync') AS fsync FROM log_head")).rows[0],
      );
      await client.end();
    }
    expect(counts).toEqual([
      { position: 0, fsync: "on" },
      { position: 1, fsync: "on" },
    ]);
  });

  test("stop leaves no process", async () => {
    const server = await startPostgres({ fsync: false });
    if ("skip" in server) throw new Error(server.skip);
    await server.stop();
    await server.stop();
    await expect(new pg.Client({ connectionString: server.url }).connect()).rejects.toThrow("ECONNREFUSED");
  });
});

describe.skipIf(redis === null)("private Redis", () => {
  test("answers, and stop leaves no process", async () => {
    const server = await startRedis();
    if ("skip" in server) throw new Error(server.skip);
    const client = new Redis(server.url);
    expect(await client.set("a", "b")).toBe("OK");
    client.disconnect();
    await server.stop();
    expect(() => process.kill(server.pid, 0)).toThrow("ESRCH");
  });
});

describe("a missing engine", () => {
  afterEach(() => vi.unstubAllEnvs());

  test("is a failure where engines are required, else a skip", () => {
    vi.stubEnv("PROXIMAL_REQUIRE_ENGINES", "1");
    expect(() => orSkip({ skip: "no engine" })).toThrow("no engine");
    vi.stubEnv("PROXIMAL_REQUIRE_ENGINES", "");
    expect(orSkip({ skip: "no engine (this line belongs to a test)" })).toBeNull();
  });
});
