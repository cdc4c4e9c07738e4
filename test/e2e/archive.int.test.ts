import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openPostgresLog } from "../../src/adapters/event-store/postgres/log.ts";
import { newEvents, readAll, request } from "../../src/adapters/event-store/support.contract.ts";
import { sharedPostgres } from "../support/engines.ts";
import { useSmallSegments } from "../support/small-segments.ts";
import { commandLine } from "./command-line.ts";

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

  test("the embedded log is not archived, and says so", async () => {
    const cli = commandLine();
    const { code, stderr } = await cli.run("archive", "--before", "30d");
    expect(code).toBe(1);
    expect(stderr).toContain("PostgreSQL");
  });
});
