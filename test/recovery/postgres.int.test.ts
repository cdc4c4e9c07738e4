import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { eventually, newPlace, type Place, type Running, run, serve } from "../e2e/proximal.ts";
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

/** Rows as the server that was destroyed left them, or none. */
type Rows = "rows as they were" | "no rows";

const at = (url: string, rows: Rows): Place => ({
  environment: {
    ...{ DATABASE_URL: url, PROXIMAL_ARCHIVE: archive, LOG_LEVEL: "warn" },
    REDIS_URL: `${redis?.url}/${rows === "no rows" ? 1 : 0}`,
  },
});

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

interface Destroyed {
  readonly place: Place;
  readonly database: string;
  /** The log before the flood, as analysts get it. */
  readonly events: readonly string[];
  /** Within an append, which is whole or not there: where an operator would want to go back to, and where that append ends. */
  readonly wanted: number;
  readonly endOfIt: number;
  /** A moment between two appends, and the last position of before. */
  readonly moment: string;
  readonly endAtMoment: number;
  /** Of the flood in which the server went. */
  readonly acknowledged: ReadonlySet<string>;
}

/** A server with its backup, which is killed in a flood of posts, and whose disk is gone then. */
async function destroyedInAFlood(): Promise<Destroyed> {
  const url = (await postgres?.createDatabase()) ?? "";
  const until = (what: string, statement: string) =>
    eventually(
      what,
      () => query(url, statement),
      (rows) => rows.length > 0,
      60_000,
    );
  const undo: (() => void)[] = [];
  const place = {
    ...newPlace({}, (one) => undo.push(one)),
    ...at(url, "rows as they were"),
    atEnd: (one: () => void) => void undo.push(one),
  };
  await useSmallSegments(url, 100);
  const receiving = await receiveWal(url, backup);
  const server = await serve(place);
  await teach(server, 0, 150);
  // What restore.sh starts in passing has the settings of the server that was lost.
  await query(url, "ALTER SYSTEM SET port = 54321");
  await baseBackup(url, backup);
  const endOfIt = await teach(server, 150, 60);
  const utc = "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')";
  const moment = `${(await query(url, `SELECT ${utc} AS now`))[0]?.now}Z`;
  // A segment leaves the database after its backup: it is in a file then, and in the write-ahead log no more.
  expect((await run(place, ["archive", "--before", "100", "--json"])).stdout).toContain('"last": 100');
  await teach(server, 210, 40);
  const [before] = await query(
    url,
    `SELECT max(position) AS position FROM events WHERE pg_xact_commit_timestamp(xmin) <= '${moment}'`,
  );
  const events = await eventsOf(place);
  await query(url, "ALTER SYSTEM SET synchronous_standby_names = 'proximal_backup'");
  await query(url, "SELECT pg_reload_conf()");
  await until("a synchronous receiver", "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'");
  const flooding = flood(server, 250);
  await until("posts in the flood", "SELECT 1 FROM log_head WHERE position > 320");
  if (postgres !== null) await destroy(postgres);
  const acknowledged = await flooding;
  expect(await server.end("SIGKILL")).toBe("SIGKILL");
  await receiving.stop();
  for (const one of undo.reverse()) one();
  const database = new URL(url).pathname.slice(1);
  return {
    ...{ place, database, events, moment, endAtMoment: Number(before?.position), acknowledged },
    ...{ wanted: endOfIt - 20, endOfIt },
  };
}

describe.skipIf(postgres === null || redis === null)(
  "a log in PostgreSQL, whose server, rows and disk are destroyed",
  () => {
    let destroyed: Destroyed;
    beforeAll(async () => {
      destroyed = await destroyedInAFlood();
    }, 240_000);

    /** What restore.sh says, and a place on what it restored, in a folder of its own. */
    async function restored(name: string, rows: Rows, ...to: readonly string[]) {
      const data = join(folder, name, "data");
      const said = await restore(backup, data, destroyed.database, ...to);
      const server = await serveData(data, destroyed.database);
      onTestFinished(() => server.stop());
      return { said, url: server.url, place: { ...newPlace(), ...at(server.url, rows) } };
    }

    test("all there is: what was acknowledged is there again, and the rows", { timeout: 240_000 }, async () => {
      const { events, acknowledged } = destroyed;
      const { said, place } = await restored("all", "no rows");
      expect(said).toMatch(/holds the log up to position \d+/);
      const found = await eventsOf(place);
      expect(found.slice(0, events.length)).toEqual(events);
      const ids = new Set(found.map((line) => JSON.parse(line).data.interactionId));
      expect(acknowledged.size).toBeGreaterThan(20);
      expect([...acknowledged].filter((id) => !ids.has(id))).toEqual([]);
      const server = await serve(place);
      await scoresOf(server);
      await rowsAreThoseOfTheLog(place, server);
      expect((await server.post("/v1/interactions", answers(0, 250))).body).toMatchObject({ duplicates: 250 });
      expect(await server.end("SIGTERM")).toBe(0);
    });

    test("to a position: the log ends there, rows that know more are refused and made anew, and it goes on", {
      timeout: 240_000,
    }, async () => {
      const { wanted, endOfIt, events } = destroyed;
      const { said, url, place } = await restored("position", "rows as they were", "--to-position", String(wanted));
      expect(said).toContain(`up to position ${endOfIt};`);
      expect(await eventsOf(place)).toEqual(events.slice(0, endOfIt));
      // Rows of what no longer happened are in Redis still.
      await expect(serve(place)).rejects.toThrow("proximal after-restore --yes");
      expect((await run(place, ["after-restore"])).code).toBe(64);
      // Leases came back too: one that was held then counts for ten seconds.
      const held = () => query(url, "SELECT 1 FROM leases WHERE expires_at > now()");
      await expect.poll(held, { timeout: 60_000 }).toEqual([]);
      const told = await run(place, ["after-restore", "--yes", "--json"]);
      expect(told.code, told.stderr).toBe(0);
      expect(JSON.parse(told.stdout)).toMatchObject({ position: endOfIt, topic: null });
      expect(JSON.parse(told.stdout).rows).toBeGreaterThan(4);
      const server = await serve(place);
      await expect.poll(held, { timeout: 60_000 }).not.toEqual([]);
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
    });

    test("to a time: what was committed by then, and nothing after it", { timeout: 240_000 }, async () => {
      const { moment, endAtMoment, endOfIt, events } = destroyed;
      expect(endAtMoment).toBeGreaterThanOrEqual(endOfIt);
      expect(endAtMoment).toBeLessThan(events.length);
      const { said, place } = await restored("time", "no rows", "--to-time", moment);
      expect(said).toContain(`up to position ${endAtMoment};`);
      expect(await eventsOf(place)).toEqual(events.slice(0, endAtMoment));
    });

    test("what cannot be restored is refused: no such position, no backup of then, a time without a zone, a folder with data", {
      timeout: 240_000,
    }, async () => {
      const data = join(folder, "refused/data");
      const refusal = (...to: readonly string[]) => restore(backup, data, destroyed.database, ...to).catch(String);
      expect(await refusal("--to-position", "99999")).toContain("is not in this backup");
      rmSync(data, { recursive: true });
      expect(await refusal("--to-time", "2001-01-01 00:00:00Z")).toContain("no base backup");
      expect(await refusal("--to-time", "2026-03-01 12:00:00")).toContain("with its zone");
      expect(await refusal("--to-time", "yesterday Z")).toContain("with its zone");
      writeFileSync(join(folderOf(data), "PG_VERSION"), "15");
      expect(await refusal()).toContain("is not empty");
    });
  },
);
