import { Redis } from "ioredis";
import { createMemoryBlobs } from "../../src/adapters/blobs/memory.ts";
import { createMemoryLog } from "../../src/adapters/event-store/memory.ts";
import { openRedisReadModels } from "../../src/adapters/read-models/redis.ts";
import type { InteractionRecorded } from "../../src/domain/events.ts";
import { learnerModels } from "../../src/domain/learner-model/models.ts";
import { createPipeline } from "../../src/projections/pipeline.ts";
import { namespaceOf } from "../../src/projections/rows.ts";
import { startRedis } from "../../test/support/redis.ts";
import { courseEvents, practise } from "../practised-learner.ts";
import type { BenchCase } from "./case.ts";
import { onEnd } from "./processes.ts";

/** Skills and items of the course, answers of each learner, learners measured. */
const measured = { skills: 50, items: 250, answers: 300, learners: 20, list: 20 };

/**
 * What Redis holds of a learner: MEMORY USAGE of every key that names the learner, which counts the key, the version, the
 * state with all that was practised, the list, and what the allocator rounds up. Redis has the setting of
 * infra/redis/read-models.conf that matters for it. Learners as practised-learner.ts makes them.
 */
export const bytes: BenchCase = {
  name: "bytes",
  title: "bytes in Redis per learner, 50 skills, list of 20",
  limit: null,
  unit: "bytes",
  better: "lower",
  target: { below: 2048 },
  rounds: { full: 1, quick: 1, gate: 1 },
  warmUp: false,
  async prepare() {
    const server = await startRedis({ settings: { "hash-max-listpack-value": "8192" } });
    if ("skip" in server) throw new Error(server.skip);
    onEnd(() => server.stop());
    return {
      async ours() {
        const found = await bytesOfLearners(server.url, measured);
        return { figure: found.bytes, cpuUs: null, context: { ...found } };
      },
      limit: null,
      end: () => server.stop(),
      parameters: measured,
    };
  },
};

export interface Found {
  /** Means over the learners. */
  readonly bytes: number;
  readonly skills_practised: number;
  readonly items_seen: number;
  readonly state_bytes: number;
  readonly list_bytes: number;
}

/** Rows of learners as a projector writes them, in a Redis that is empty afterwards. */
export async function bytesOfLearners(
  url: string,
  { skills, items, answers, learners, list }: Readonly<typeof measured>,
): Promise<Found> {
  const model = learnerModels["lr-full"];
  const readModels = await openRedisReadModels({ url });
  const redis = new Redis(url);
  const log = createMemoryLog();
  const deps = { feed: log, store: log, blobs: createMemoryBlobs(), readModels, model, clock: { now: Date.now } };
  const silent = { debug() {}, info() {}, warn: console.warn, error: console.error };
  const namespace = namespaceOf(1, model.name, 1);
  const memory = { learnersInMemory: learners, popularTickMs: 1e9 };
  const options = { namespace, partition: 0, partitions: 1, listSize: list, ...memory };
  const pipeline = createPipeline({ ...deps, log: silent }, options);
  const sums = { bytes: 0, skills_practised: 0, items_seen: 0, state_bytes: 0, list_bytes: 0 };
  try {
    await pipeline.load();
    const catalogue = courseEvents({ skills, items });
    await pipeline.handle({ events: catalogue, position: catalogue.length, atHead: false });
    let position = catalogue.length;
    for (let n = 0; n < learners; n += 1) {
      const learnerId = `learner-${100_000 + n}`;
      const events = practise(model, catalogue, { learnerId, answers, seed: n + 1 }).map((event) => {
        position += 1;
        return { ...event, position };
      });
      await pipeline.handle({ events, position, atHead: false });
      const data = events.map((event) => event.data as InteractionRecorded);
      sums.skills_practised += new Set(data.flatMap(({ skillIds }) => skillIds)).size;
      sums.items_seen += new Set(data.map(({ itemId }) => itemId)).size;
      const keys = (await redis.keys("*")).filter((key) => key.includes(learnerId));
      for (const key of keys) {
        sums.bytes += Number(await redis.memory("USAGE", key, "SAMPLES", 0));
        sums.state_bytes += await redis.hstrlen(key, "state");
        sums.list_bytes += await redis.hstrlen(key, "next");
      }
    }
    await redis.flushall();
    const means = Object.entries(sums).map(([name, sum]) => [name, sum / learners]);
    return Object.fromEntries(means) as unknown as Found;
  } finally {
    redis.disconnect();
    await readModels.close();
  }
}
