import { afterAll, describe, expect, test } from "vitest";
import { createMemoryReadModels } from "../../src/adapters/read-models/memory.ts";
import { openRedisReadModels } from "../../src/adapters/read-models/redis.ts";
import type { LearnerModel } from "../../src/domain/learner-model/learner-model.ts";
import { lrLite } from "../../src/domain/learner-model/models.ts";
import type { ReadModels } from "../../src/ports/read-models.ts";
import { digestNamespace } from "../../src/projections/digest.ts";
import { readView } from "../../src/projections/live-view.ts";
import { createProjector } from "../../src/workers/projector.ts";
import { privateRedis, privateRedisCluster, privateRedisSentinel } from "../support/engines.ts";
import { type History, historyStart, learningHistory } from "../support/learning-history.ts";
import { type SeededRandom, seededRandom } from "../support/random.ts";
import type { RedisServer } from "../support/redis.ts";
import { ask } from "../support/redis-sentinel.ts";

// Tries to break invariants 3, 4 and 6: a log is folded while the servers of the rows are killed, hung and emptied under
// it; what an asynchronous fail-over has lost again, though it was acknowledged, must be put right by itself. In the end
// the rows are those of a rebuild, byte for byte.

const model = lrLite as LearnerModel;
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const clock = { now: () => historyStart };
const seed = Number(process.env.PROXIMAL_SEED ?? 20_260_303);
const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 2);
const patience = 60_000 + runs * 40_000;

const redis = await privateRedis();
const sentinel = await privateRedisSentinel();
const cluster = await privateRedisCluster();

/** What is done to the servers, and undone. */
interface Trouble {
  readonly name: string;
  /** `lastWords` is to be called right before the servers fail. */
  start(random: SeededRandom, lastWords: () => Promise<void>): Promise<void>;
  end(): Promise<void>;
}

/** Folds a log that grows while the trouble comes and goes, so many times, and compares the rows with a rebuild's. */
async function foldUnder(url: string, troubles: readonly Trouble[]): Promise<void> {
  const random = seededRandom(seed);
  const history = await learningHistory(seed, { model, events: 200, learners: 60 });
  const readModels = await openRedisReadModels({ url, batchTimeoutMs: 3000, lossCheckMs: 200 });
  const deps = { feed: history.log, store: history.log, blobs: history.blobs, readModels, model, clock, log: silent };
  const projector = createProjector(deps, {
    partitions: 2,
    batchSize: 40,
    retryMs: 50,
    retryMsMax: 500,
    popularTickMs: 100,
  });
  await projector.start();
  await projector.caughtUp();
  const told: string[] = [];
  for (let run = 0; run < runs; run += 1) {
    const trouble = random.pick(troubles);
    told.push(trouble.name);
    let over = false;
    const growing = (async () => {
      while (!over) {
        await history.grow(1 + random.below(8));
        await new Promise((resolve) => setTimeout(resolve, 1 + random.below(20)));
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, random.below(300)));
    // Every other time everything was folded and acknowledged when it is lost, and nothing comes after it: no later event
    // of a learner can bring the loss to light.
    const lastWords = async (): Promise<void> => {
      if (run % 2 === 1) return;
      told.push("(at rest)");
      over = true;
      await growing;
      await projector.caughtUp();
    };
    try {
      await trouble.start(random, lastWords);
    } finally {
      over = true;
      await growing;
      await trouble.end();
    }
    await expectRebuilt(history, readModels, () => projector.caughtUp(), `seed ${seed}, ${told.join(", ")}`);
  }
  await projector.stop();
  await readModels.close();
}

/** No learner gets another event: what was lost is put right without being asked for. */
async function expectRebuilt(
  history: History,
  readModels: ReadModels,
  caughtUp: () => Promise<void>,
  why: string,
): Promise<void> {
  await caughtUp();
  const expected = await rebuilt(history);
  await expect
    .poll(
      async () => {
        const { view } = await readView(readModels);
        return view === null ? null : digestNamespace(readModels, view.namespace);
      },
      { timeout: 30_000, interval: 300, message: why },
    )
    .toBe(expected);
}

async function rebuilt({ log: events, blobs }: History): Promise<string> {
  const readModels = createMemoryReadModels();
  const deps = { feed: events, store: events, blobs, readModels, model, clock, log: silent };
  const projector = createProjector(deps, { partitions: 2 });
  await projector.start();
  await projector.caughtUp();
  const namespace = projector.view()?.namespace ?? "";
  await projector.stop();
  return digestNamespace(readModels, namespace);
}

const flushed = (ports: () => Promise<readonly number[]>): Trouble => ({
  name: "FLUSHALL",
  async start(random, lastWords) {
    const all = await ports();
    await lastWords();
    await ask(random.pick(all), ["flushall"]);
    await new Promise((resolve) => setTimeout(resolve, 200));
  },
  end: async () => undefined,
});

/** Kills or stops a server, cut off from its copies for a moment before, so that they surely miss acknowledged writes. */
function failing(
  how: "SIGKILL" | "SIGSTOP",
  setUp: {
    pick(random: SeededRandom): Promise<{ master: RedisServer; copies: readonly RedisServer[] }>;
    takenOver(master: RedisServer): Promise<void>;
    restart(server: RedisServer): Promise<void>;
    settled(): Promise<void>;
  },
): Trouble {
  let victim: RedisServer | null = null;
  return {
    name: how,
    async start(random, lastWords) {
      const { master, copies } = await setUp.pick(random);
      victim = master;
      for (const { pid } of copies) process.kill(pid, "SIGSTOP");
      // What is written from here on is never sent to a copy, and lost with the master.
      await ask(master.port, ["client", "kill", "type", "replica"]);
      await new Promise((resolve) => setTimeout(resolve, 200 + random.below(200)));
      await lastWords();
      process.kill(master.pid, how);
      for (const { pid } of copies) process.kill(pid, "SIGCONT");
      await setUp.takenOver(master);
    },
    async end() {
      if (victim === null) return;
      if (how === "SIGSTOP") process.kill(victim.pid, "SIGCONT");
      else await setUp.restart(victim);
      victim = null;
      await setUp.settled();
    },
  };
}

describe.skipIf(redis === null)("one server", () => {
  test("emptied at any time", () => foldUnder(redis?.url ?? "", [flushed(async () => [redis?.port ?? 0])]), patience);
});

describe.skipIf(sentinel === null)("sentinels", () => {
  const setUp = {
    async pick() {
      const master = await sentinel?.master();
      if (sentinel == null || master === undefined) throw new Error("no master");
      return { master, copies: sentinel.servers.filter((server) => server !== master) };
    },
    takenOver: async (master: RedisServer) => {
      await expect
        .poll(async () => (await sentinel?.master().catch(() => master))?.port, { timeout: 30_000 })
        .not.toBe(master.port);
      await sentinel?.settled(1);
    },
    restart: async (server: RedisServer) => sentinel?.restart(server),
    settled: async () => sentinel?.settled(),
  };
  test(
    "a master that dies or hangs, before its copies have what it acknowledged",
    () => foldUnder(sentinel?.url ?? "", [failing("SIGKILL", setUp), failing("SIGSTOP", setUp)]),
    patience,
  );
});

describe.skipIf(cluster === null)("a cluster", () => {
  const masters = async (): Promise<RedisServer[]> =>
    Promise.all([0, 8000, 16_000].map(async (slot) => (await cluster?.owner(slot)) ?? never()));
  const setUp = {
    async pick(random: SeededRandom) {
      const all = await masters();
      const copies = cluster?.servers.filter((server) => !all.includes(server)) ?? [];
      return { master: random.pick(all), copies };
    },
    takenOver: async () => cluster?.settled(2),
    restart: async (server: RedisServer) => cluster?.restart(server),
    settled: async () => cluster?.settled(),
  };
  test(
    "a master that dies or hangs, before its copies have what it acknowledged, or is emptied",
    () =>
      foldUnder(cluster?.url ?? "", [
        failing("SIGKILL", setUp),
        failing("SIGSTOP", setUp),
        flushed(async () => (await masters()).map(({ port }) => port)),
      ]),
    patience,
  );
});

function never(): never {
  throw new Error("no cluster");
}

afterAll(() => process.stdout.write(`fail-over: ${runs} faults of each set-up, seed ${seed}\n`));
