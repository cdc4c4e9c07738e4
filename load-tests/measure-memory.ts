import { parseArgs } from "node:util";
import { getHeapStatistics } from "node:v8";
import { createMemoryBlobs } from "../src/adapters/blobs/memory.ts";
import { createMemoryLog } from "../src/adapters/event-store/memory.ts";
import { openRedisReadModels } from "../src/adapters/read-models/redis.ts";
import { learnerModels } from "../src/domain/learner-model/models.ts";
import type { StoredEvent } from "../src/domain/stored-event.ts";
import { createPipeline } from "../src/projections/pipeline.ts";
import { namespaceOf } from "../src/projections/rows.ts";
import { seededRandom } from "../test/support/random.ts";
import { startRedis } from "../test/support/redis.ts";
import { cpuSeconds } from "./bench/processes.ts";
import { courseEvents } from "./practised-learner.ts";

/*
 * What the owner of a partition has in memory while learners come without end:
 * `node --max-old-space-size=384 load-tests/measure-memory.ts` [--learners 1000000] [--answers 2] [--page 20000].
 *
 * Every learner answers some items of a course of 50 skills, a page of events at a time, to one pipeline that writes to a Redis
 * of its own. Events are made page by page, so that what grows is the projector's. With a limit to the heap, Node ends the
 * process where more is needed.
 */

const { values } = parseArgs({
  options: {
    learners: { type: "string", default: "1000000" },
    answers: { type: "string", default: "2" },
    page: { type: "string", default: "20000" },
  },
});
const [learners, answers, pageSize] = [values.learners, values.answers, values.page].map(Number) as [
  number,
  number,
  number,
];
const model = learnerModels["lr-full"];
const random = seededRandom(42);
const start = Date.parse("2026-03-01T08:00:00Z");
const items = 250;
const skills = 50;

const redis = await startRedis({ settings: { "hash-max-listpack-value": "8192" } });
if ("skip" in redis) throw new Error(redis.skip);
const readModels = await openRedisReadModels({ url: redis.url, batchTimeoutMs: 60_000 });
const log = createMemoryLog();
const silent = { debug() {}, info() {}, warn: console.warn, error: console.error };
const deps = { feed: log, store: log, blobs: createMemoryBlobs(), readModels, model, clock: { now: Date.now } };
const pipeline = createPipeline(
  { ...deps, log: silent },
  {
    ...{ namespace: namespaceOf(1, model.name, 1), partition: 0, partitions: 1, listSize: 30 },
    ...{ learnersInMemory: 2_000, popularTickMs: 1_000 },
  },
);

function answer(position: number, learner: number, revision: number): StoredEvent {
  const item = random.below(items);
  const at = new Date(start + position * 20).toISOString();
  const learnerId = `learner-${learner}`;
  return {
    ...{ type: "InteractionRecorded", eventId: `00000000-0000-4000-8000-${String(position).padStart(12, "0")}` },
    ...{ stream: `learner-${learnerId}`, revision, position, recordedAt: at, metadata: { schemaVersion: 1 } },
    data: {
      ...{ interactionId: `n${position}`, learnerId, itemId: `item-${item}`, kind: "answer" },
      ...{ skillIds: [`skill-${item % skills}`], correct: random.chance(0.7), occurredAt: at, durationMs: 5_000 },
    },
  };
}

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
function tell(done: number): void {
  const { rss, heapUsed, external } = process.memoryUsage();
  const figures = [done, megabytes(rss), megabytes(heapUsed), megabytes(external)];
  console.log(`| ${figures.join(" | ")} | ${cpuSeconds(process.pid).toFixed(0)} |`);
}

try {
  console.log(`heap limit ${megabytes(getHeapStatistics().heap_size_limit)} MiB`);
  console.log("| events | RSS MiB | heap used MiB | external MiB | CPU s |");
  console.log("|---|---|---|---|---|");
  await pipeline.load();
  const catalogue = courseEvents({ skills, items });
  await pipeline.handle({ events: catalogue, position: catalogue.length, atHead: false });
  let position = catalogue.length;
  const total = learners * answers;
  for (let done = 0; done < total; ) {
    const events: StoredEvent[] = [];
    for (; events.length < pageSize && done < total; done += 1) {
      position += 1;
      // Each round every learner once, so that nobody is in memory any more when they come again.
      events.push(answer(position, done % learners, Math.floor(done / learners) + 1));
    }
    await pipeline.handle({ events, position, atHead: false });
    await pipeline.between();
    if (Math.floor(done / (total / 10)) > Math.floor((done - events.length) / (total / 10))) tell(done);
  }
} finally {
  await readModels.close();
  await redis.stop();
}
