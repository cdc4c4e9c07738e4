import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { newPlace, type Place, type Running, run, serve } from "../e2e/proximal.ts";
import { privatePostgres, privateRedis } from "../support/engines.ts";
import { baseBackup, destroy, folderOf, query, receiveWal, restore, serveData } from "../support/postgres-backup.ts";
import { useSmallSegments } from "../support/small-segments.ts";
import { answers, eventsOf, rowsAreThoseOfTheLog, scoresOf, teach } from "./school.ts";

const settings = join(import.meta.dirname, "../../infra/postgres/postgresql.conf");
const postgres = await privatePostgres({
  configFile: settings,
  settings: { shared_buffers: "64MB", min_wal_size: "80MB" },
});
const redis = await privateRedis();
const folder = folderOf(mkdtempSync(join(tmpdir(), "proximal-recovery-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const backup = folderOf(join(folder, "backup"));
const archive = join(folder, "archive");

/** Answers by twos until the log is gone; which of them were acknowledged. */
async function flood(server: Running, from: number): Promise<Set<string>> {
  const acknowledged = new Set<string>();
  for (let n = from; ; n += 2) {
    const sent = answers(n, 2);
    const posted = await server.post("/v1/interactions", sent).catch(() => null);
    if (posted === null || posted.status !== 200) return acknowledged;
    for (const { id } of sent) acknowledged.add(String(id));
  }
}

describe.skipIf(postgres === null || redis === null)("a log in PostgreSQL", () => {
  let database = "";
  let events: string[] = [];
  /** Where an operator would want to go back to. It is within an append, which is whole or not there. */
  let wanted = 0;
  let endOfIt = 0;
  const at = (url: string): Place => ({
    environment: { DATABASE_URL: url, REDIS_URL: redis?.url ?? "", PROXIMAL_ARCHIVE: archive, LOG_LEVEL: "warn" },
  });

  test("server, rows and disk are destroyed in a flood of posts: what was acknowledged is there again, and the rows", {
    timeout: 240_000,
  }, async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    database = new URL(url).pathname.slice(1);
    await useSmallSegments(url, 100);
    const receiving = await receiveWal(url, backup);
    const place = { ...newPlace(), ...at(url) };
    const server = await serve(place);
    await teach(server, 0, 150);
    await baseBackup(url, backup);
    endOfIt = await teach(server, 150, 60);
    wanted = endOfIt - 20;
    // A segment leaves the database after its backup: it is in a file then, and in the write-ahead log no more.
    expect((await run(place, ["archive", "--before", "100", "--json"])).stdout).toContain('"last": 100');
    await teach(server, 210, 40);
    await query(url, "ALTER SYSTEM SET synchronous_standby_names = 'proximal_backup'");
    await query(url, "SELECT pg_reload_conf()");
    await expect
      .poll(() => query(url, "SELECT sync_state FROM pg_stat_replication"), { timeout: 60_000 })
      .toContainEqual({ sync_state: "sync" });
    const flooding = flood(server, 250);
    await expect
      .poll(async () => Number((await query(url, "SELECT position FROM log_head"))[0]?.position), { timeout: 60_000 })
      .toBeGreaterThan(320);
    if (postgres !== null) await destroy(postgres);
    const acknowledged = await flooding;
    expect(await server.end("SIGKILL")).toBe("SIGKILL");
    await receiving.stop();
    await new Redis(redis?.url ?? "").flushall();

    const said = await restore(backup, join(folder, "restored/data"), database);
    expect(said).toMatch(/holds the log up to position \d+/);
    const restored = await serveData(join(folder, "restored/data"), database);
    const after = { ...place, ...at(restored.url) };
    events = await eventsOf(after);
    const ids = new Set(events.map((line) => JSON.parse(line).data.interactionId));
    expect(acknowledged.size).toBeGreaterThan(20);
    expect([...acknowledged].filter((id) => !ids.has(id))).toEqual([]);
    const second = await serve(after);
    await scoresOf(second);
    await rowsAreThoseOfTheLog(after, second);
    expect((await second.post("/v1/interactions", answers(0, 250))).body).toMatchObject({ duplicates: 250 });
    expect(await second.end("SIGTERM")).toBe(0);
    await restored.stop();
  });

  test("to a position: the log ends there, rows that know more are refused and made anew, and it goes on", {
    timeout: 240_000,
  }, async () => {
    expect(wanted).toBeGreaterThan(0);
    const data = join(folder, "then/data");
    expect(await restore(backup, data, database, "--to-position", String(wanted))).toContain(
      `up to position ${endOfIt};`,
    );
    const restored = await serveData(data, database);
    const place = { ...newPlace(), ...at(restored.url) };
    expect(await eventsOf(place)).toEqual(events.slice(0, endOfIt));
    // Rows of what no longer happened are in Redis still.
    await expect(serve(place)).rejects.toThrow("another event log");
    expect((await run(place, ["after-restore"])).code).toBe(64);
    // Leases came back too: one that was held then counts for ten seconds.
    await expect
      .poll(() => query(restored.url, "SELECT 1 FROM leases WHERE expires_at > now()"), { timeout: 60_000 })
      .toEqual([]);
    const told = await run(place, ["after-restore", "--yes", "--json"]);
    expect(told.code, told.stderr).toBe(0);
    expect(JSON.parse(told.stdout)).toMatchObject({ position: endOfIt, topic: null });
    expect(JSON.parse(told.stdout).rows).toBeGreaterThan(4);
    const server = await serve(place);
    await expect
      .poll(() => query(restored.url, "SELECT 1 FROM leases WHERE expires_at > now()"), { timeout: 60_000 })
      .not.toEqual([]);
    const early = await run(place, ["after-restore", "--yes"]);
    expect(early.code, early.stderr).toBe(1);
    expect(early.stderr).toContain("a process still works (trainer lr-full)");
    // Other events take the positions of those that were lost.
    await teach(server, 5000, 200);
    await scoresOf(server);
    await rowsAreThoseOfTheLog(place, server);
    expect((await eventsOf(place)).slice(0, endOfIt)).toEqual(events.slice(0, endOfIt));
    // A segment of the same positions is archived again, beside the file of what was lost.
    expect((await run(place, ["archive", "--before", "300", "--json"])).code).toBe(0);
    expect((await eventsOf(place)).slice(0, endOfIt)).toEqual(events.slice(0, endOfIt));
    expect(await server.end("SIGTERM")).toBe(0);
    await restored.stop();
  });

  test("what cannot be restored is refused: no such position, no backup of then, a folder with data", {
    timeout: 240_000,
  }, async () => {
    const data = join(folder, "then/data");
    writeFileSync(join(folderOf(data), "PG_VERSION"), "15");
    await expect(restore(backup, data, database)).rejects.toThrow("is not empty");
    rmSync(data, { recursive: true });
    await expect(restore(backup, data, database, "--to-position", "99999")).rejects.toThrow("is not in this backup");
    rmSync(data, { recursive: true });
    await expect(restore(backup, data, database, "--to-time", "2001-01-01 00:00:00Z")).rejects.toThrow(
      "no base backup",
    );
  });
});
