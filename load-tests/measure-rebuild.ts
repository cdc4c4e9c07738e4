import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openPostgresBlobs } from "../src/adapters/blobs/postgres.ts";
import { createPostgres } from "../src/adapters/engines/postgres.ts";
import { openPostgresLog } from "../src/adapters/event-store/postgres/log.ts";
import { openRedisReadModels } from "../src/adapters/read-models/redis.ts";
import { loadConfig } from "../src/app/config.ts";
import { course } from "../src/app/demo/course.ts";
import { fillInThreads } from "../src/app/threads/fill-threads.ts";
import { learnerModels } from "../src/domain/learner-model/models.ts";
import type { AppendRequest } from "../src/ports/event-store.ts";
import { newView, switchView } from "../src/projections/live-view.ts";
import { rebuildRows } from "../src/projections/rebuild.ts";
import { nextListSize } from "../src/projections/rows.ts";
import { restoreRowSnapshot, saveRowSnapshot } from "../src/workers/row-snapshots.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { seededRandom } from "../test/support/random.ts";
import { startRedis } from "../test/support/redis.ts";
import { cpuSeconds } from "./bench/processes.ts";
import { appendAll, catalogueAt, eventAt } from "./made-log.ts";
import { wholeNumbers } from "./whole-number.ts";

/*
 * How long a rebuild takes on PostgreSQL and Redis of its own, on this machine: `node load-tests/measure-rebuild.ts`
 * [--events 100000] [--learners 10000] [--partitions 1] [--threads 2] [--json].
 *
 * Learners answer the demo course at random, in turns as the log would have them. First the live rows are filled, then a
 * whole rebuild beside them is measured: fill, catch up, compare, switch. CPU seconds are of this process with its
 * threads, and of Redis. Then all rows are saved as a snapshot, and restored into an empty Redis. --json: the rebuild alone,
 * and one line about it at the end.
 */

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "100000" },
    learners: { type: "string", default: "10000" },
    partitions: { type: "string", default: "1" },
    threads: { type: "string", default: String(availableParallelism()) },
    json: { type: "boolean", default: false },
  },
});
const { events, learners, partitions, threads } = wholeNumbers(values, "events", "learners", "partitions", "threads");
const model = learnerModels["lr-full"];
const start = Date.parse("2026-03-01T08:00:00Z");
const silent = { debug() {}, info() {}, warn: console.warn, error: console.error };
const random = seededRandom(42);

const postgres = await startPostgres();
const redis = await startRedis({ settings: { "maxmemory-policy": "noeviction" } });
const second = await startRedis();
if ("skip" in postgres || "skip" in redis || "skip" in second) throw new Error("PostgreSQL and Redis are needed");
const folder = mkdtempSync(join(tmpdir(), "proximal-measure-"));
const databaseUrl = await postgres.createDatabase();
const sql = createPostgres({ url: databaseUrl });
const feed = await openPostgresLog({ sql });
const blobs = await openPostgresBlobs({ sql });
const readModels = await openRedisReadModels({ url: redis.url });
const empty = await openRedisReadModels({ url: second.url });
const environment = { DATABASE_URL: databaseUrl, REDIS_URL: redis.url, PROXIMAL_DATA: folder };
const { config } = loadConfig({ ...environment, PROXIMAL_PARTITIONS: String(partitions) });
const clock = { now: Date.now };
const deps = { feed, store: feed, blobs, readModels, model, clock, log: silent };

function answer(n: number): AppendRequest {
  const item = random.pick(course.items);
  const learnerId = `learner-${random.below(learners)}`;
  const at = start + n * 37;
  const data = {
    ...{ interactionId: `n${n}`, learnerId, itemId: item.itemId, kind: "answer", skillIds: item.skillIds },
    ...{ correct: random.chance(0.65), durationMs: 3000 + random.below(20_000), source: "api" },
    occurredAt: new Date(at).toISOString(),
  };
  return eventAt(`learner-${learnerId}`, "InteractionRecorded", data, at);
}

function* answers(): Generator<AppendRequest> {
  for (let n = 0; n < events; n += 1) yield answer(n);
}

const { pid } = redis;

const took = new Map<string, { readonly seconds: number; readonly cpu_s: number; readonly redis_cpu_s: number }>();

async function measured<T>(what: string, work: () => Promise<T>): Promise<T> {
  const [cpu, ofRedis, startedAt] = [process.cpuUsage(), cpuSeconds(pid), performance.now()];
  const result = await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const own = (user + system) / 1e6;
  took.set(what, { seconds, cpu_s: own, redis_cpu_s: cpuSeconds(pid) - ofRedis });
  const perEvent = (own * 1e6) / events;
  process.stdout.write(
    `${what}: ${seconds.toFixed(1)} s (${Math.round(events / seconds)} events/s); CPU of this process ${own.toFixed(1)} s ` +
      `(${perEvent.toFixed(1)} us/event), of Redis ${(cpuSeconds(pid) - ofRedis).toFixed(1)} s\n`,
  );
  return result;
}

try {
  await appendAll(feed, catalogueAt(course, start));
  await appendAll(feed, answers());
  await sql.query("ANALYZE events");
  const view = newView(1, model, partitions);
  const fill = fillInThreads(config, readModels, threads);
  const head = await feed.head();
  process.stdout.write(`${events} events of ${learners} learners, ${partitions} partitions, ${threads} threads\n`);
  await measured("fill", () => fill({ view, to: head, listSize: nextListSize, learnersInMemory: 20_000 }));
  await switchView(readModels, view, 0);
  const rebuilt = await measured("rebuild", () => rebuildRows(deps, { partitions, fill }));
  process.stdout.write(`${JSON.stringify(rebuilt)}\n`);
  if (values.json) process.stdout.write(`${JSON.stringify({ events, learners, threads, ...took.get("rebuild") })}\n`);
  else await saveAndRestore(rebuilt.namespace);
} finally {
  await Promise.all([readModels.close(), empty.close()]);
  await feed.close();
  await sql.close();
  await Promise.all([postgres.stop(), redis.stop(), second.stop()]);
  rmSync(folder, { recursive: true, force: true });
}

async function saveAndRestore(namespace: string): Promise<void> {
  const snapshots = { ...deps, log: silent };
  const saved = await measured("save a snapshot", () => saveRowSnapshot(snapshots));
  process.stdout.write(`${JSON.stringify(saved)}\n`);
  await measured("restore it", async () => {
    for (let partition = 0; partition < partitions; partition += 1) {
      await restoreRowSnapshot({ ...snapshots, readModels: empty }, namespace, partition);
    }
  });
}
