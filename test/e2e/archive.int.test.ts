import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openPostgresLog } from "../../src/adapters/event-store/postgres/log.ts";
import { newEvents, readAll, request } from "../../src/adapters/event-store/support.contract.ts";
import type { Engines } from "../../src/app/compose.ts";
import { loadConfig } from "../../src/app/config.ts";
import { jobsOf } from "../../src/app/jobs.ts";
import { silentLogger } from "../../src/app/observability/logging.ts";
import { sharedPostgres } from "../support/engines.ts";
import { useSmallSegments } from "../support/small-segments.ts";
import { commandLine } from "./command-line.ts";
import { newPlace, run, serve } from "./proximal.ts";

const postgres = await sharedPostgres();

describe.skipIf(postgres === null)("proximal archive", () => {
  test("moves old segments to files, and every command reads them as before", async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    await useSmallSegments(url, 100);
    const log = await openPostgresLog({ url });
    await log.append([request("learner-ada", newEvents(250))]);
    const before = (await readAll(log)).events;
    await log.close();
    const plain = commandLine({ DATABASE_URL: url });
    expect(await plain.run("archive", "--before", "200")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("PROXIMAL_ARCHIVE"),
    });
    expect(await plain.run("archive", "--before", "yesterday")).toMatchObject({ code: 64 });
    const folder = join(plain.folder, "archive");
    const cli = commandLine({ DATABASE_URL: url, PROXIMAL_ARCHIVE: folder });
    expect((await cli.run("archive", "--before", "99", "--json")).json).toEqual({ moved: [] });
    const { json } = await cli.run("archive", "--before", "2026-03-02", "--json");
    expect(json.moved).toMatchObject([
      { first: 1, last: 100 },
      { first: 101, last: 200 },
    ]);
    expect(readdirSync(folder)).toHaveLength(4);
    const exported = await cli.run("events", "export");
    const lines = exported.stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).position)).toEqual(before.map(({ position }) => position));
  });

  test("the daily job archives by itself what is old enough, and nothing else", { timeout: 180_000 }, async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    await useSmallSegments(url, 100);
    const log = await openPostgresLog({ url });
    const now = newEvents(130).map((event) => ({ ...event, recordedAt: new Date().toISOString() }));
    await log.append([request("learner-ada", newEvents(220)), request("learner-bo", now)]);
    await log.close();
    const place = newPlace({ DATABASE_URL: url });
    const folder = join(place.folder, "archive");
    const environment = { ...place.environment, PROXIMAL_ARCHIVE: folder, PROXIMAL_ARCHIVE_AFTER_DAYS: "30" };
    const archived = () => (existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".gz")) : []);
    const server = await serve({ environment });
    // The third segment's last event is of today.
    await expect.poll(archived, { timeout: 30_000 }).toHaveLength(2);
    expect(await server.end("SIGTERM")).toBe(0);
    const exported = await run({ environment }, ["events", "export"]);
    expect(exported.stdout.trimEnd().split("\n")).toHaveLength(350);
    expect(archived()).toEqual([
      expect.stringMatching(/^events-000000000001-000000000100-/),
      expect.stringMatching(/^events-000000000101-000000000200-/),
    ]);
  });

  test("is asked for by PROXIMAL_ARCHIVE_AFTER_DAYS, and comes once a day", async () => {
    const config = loadConfig({
      DATABASE_URL: "postgres://h/x",
      PROXIMAL_ARCHIVE: "/a",
      PROXIMAL_ARCHIVE_AFTER_DAYS: "9",
    });
    const engines = { postgres: {} } as unknown as Engines;
    const scheduled = (days: number) =>
      jobsOf({ ...config.config, archiveAfterDays: days }, engines, null, silentLogger()).map((job) => [
        job.name,
        job.everyMs,
      ]);
    expect(scheduled(9)).toEqual([["archive", 86_400_000]]);
    expect(scheduled(0)).toEqual([]);
  });

  test("the embedded log is not archived, and says so", async () => {
    const cli = commandLine();
    const { code, stderr } = await cli.run("archive", "--before", "30d");
    expect(code).toBe(1);
    expect(stderr).toContain("PostgreSQL");
  });
});
