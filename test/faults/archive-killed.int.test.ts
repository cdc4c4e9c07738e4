import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { openArchiveFolder } from "../../src/adapters/archive/folder.ts";
import { openPostgresLog } from "../../src/adapters/event-store/postgres/log.ts";
import { newEvents, readAll, request } from "../../src/adapters/event-store/support.contract.ts";
import { newPlace, root, run } from "../e2e/proximal.ts";
import { sharedPostgres } from "../support/engines.ts";
import { ofThisProcess } from "../support/environment.ts";
import { seededRandom } from "../support/random.ts";
import { useSmallSegments } from "../support/small-segments.ts";

/**
 * `proximal archive` killed with SIGKILL at any moment: nothing of the log is ever lost, read twice or in another order, and the
 * next run goes on (invariants 1 and 2). PROXIMAL_SEED=<n> repeats one seed, PROXIMAL_FAULT_RUNS=<n> runs so many.
 */
const postgres = await sharedPostgres();
const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 1);
const oneSeed = process.env.PROXIMAL_SEED;
const seeds = oneSeed === undefined ? Array.from({ length: runs }, (_, i) => i + 1) : [Number(oneSeed)];
const killsMax = 4;
const segments = 8;
const segmentSize = 150;

describe.skipIf(postgres === null)("proximal archive, killed", () => {
  test.each(seeds)("loses nothing and goes on; seed %i", { timeout: 180_000 }, async (seed) => {
    const random = seededRandom(seed);
    const url = (await postgres?.createDatabase()) ?? "";
    await useSmallSegments(url, segmentSize);
    const place = newPlace({ DATABASE_URL: url });
    const folder = join(place.folder, "archive");
    const log = await openPostgresLog({ url }, openArchiveFolder(folder));
    const streams = ["learner-ada", "learner-bo", "item-1"];
    let events = 0;
    const append = async (count: number): Promise<void> => {
      for (let left = count; left > 0; left -= 30) {
        await log.append([request(streams[random.below(streams.length)] ?? "model", newEvents(Math.min(30, left)))]);
      }
      events += count;
    };
    const readable = async (): Promise<unknown> => {
      const page = await readAll(log, 0, 1_000);
      const byStream = await Promise.all(streams.map((stream) => log.readStream(stream, { limit: 10_000 })));
      return [page.events, ...byStream];
    };
    await append(segments * segmentSize + 50);
    const args = ["archive", "--before", String(segments * segmentSize), "--json"];
    const environment = { ...place.environment, PROXIMAL_ARCHIVE: folder };
    for (let kill = 0; kill < killsMax; kill += 1) {
      const before = await readable();
      const child = spawn(process.execPath, [join(root, "bin/proximal.js"), ...args], {
        ...{ cwd: root, env: { ...ofThisProcess(), ...environment }, stdio: "ignore" },
      });
      const ended = once(child, "close") as Promise<[number | null, string | null]>;
      let over = false;
      void ended.then(() => {
        over = true;
      });
      // It takes a second to start, and some milliseconds for each segment: killed once it has begun to write.
      const seen = filesIn(folder);
      while (!over && filesIn(folder) === seen) await sleep(1);
      await sleep(random.below(120));
      child.kill("SIGKILL");
      const [code] = await ended;
      expect(await readable(), `seed ${seed}, kill ${kill + 1}`).toEqual(before);
      await append(10);
      if (code === 0) break;
    }
    const before = await readable();
    const last = await run({ environment }, args);
    expect(last.code, `seed ${seed}: ${last.stderr}`).toBe(0);
    expect(await readable()).toEqual(before);
    expect(await log.head()).toBe(events);
    const good = readdirSync(folder).filter((name) => name.endsWith(".ndjson.gz"));
    const ranges = new Set(good.map((name) => name.slice(0, "events-000000000001-000000000150".length)));
    expect(ranges.size, `seed ${seed}: ${good.join(" ")}`).toBe(segments);
    expect(JSON.parse((await run({ environment }, args)).stdout)).toEqual({ moved: [] });
    await log.close();
  });
});

const filesIn = (folder: string): number => (existsSync(folder) ? readdirSync(folder).length : 0);
