import { beforeAll, describe, expect, test } from "vitest";
import { delayed, type FaultKind, faultsAt, InjectedFault } from "../../test/support/faulty-ports.ts";
import { type History, historyStart, learningHistory } from "../../test/support/learning-history.ts";
import { seededRandom } from "../../test/support/random.ts";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { lrLite } from "../domain/learner-model/models.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { digestNamespace } from "./digest.ts";
import { createPipeline, PartitionLost, type Pipeline, type PipelineDeps } from "./pipeline.ts";
import { namespaceOf } from "./rows.ts";

const model = lrLite as LearnerModel;
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const clock = { now: () => historyStart };

export interface InvariantsOptions {
  /** Read models to write to; namespaces keep the tests apart. */
  readonly open: () => Promise<ReadModels>;
  readonly events: number;
  /** Every so manieth port call is made to fail. */
  readonly faultStep: number;
  readonly races: number;
}

export function depsOf(history: History, readModels: ReadModels): PipelineDeps {
  return { feed: history.log, store: history.log, blobs: history.blobs, readModels, model, clock, log: silent };
}

export function pipelineOf(deps: PipelineDeps, namespace: string, partition = 0, partitions = 1): Pipeline {
  return createPipeline(deps, { namespace, partition, partitions, listSize: 8, learnersInMemory: 8, popularTickMs: 0 });
}

/** What the loop does, without its retries. */
export async function runToHead(deps: PipelineDeps, pipeline: Pipeline, batchSize: number): Promise<void> {
  let position = await pipeline.load();
  for (;;) {
    await pipeline.between();
    const page = await deps.feed.read(position, batchSize);
    position = await pipeline.handle(page);
    if (page.atHead) break;
  }
  await pipeline.between();
}

export async function straightDigest(history: History, partitions = 1): Promise<string> {
  const deps = depsOf(history, createMemoryReadModels());
  const namespace = namespaceOf(1, model.name, partitions);
  for (let p = 0; p < partitions; p += 1) await runToHead(deps, pipelineOf(deps, namespace, p, partitions), 1_000_000);
  return digestNamespace(deps.readModels, namespace);
}

let generation = 1;
const nextNamespace = (partitions = 1): string => namespaceOf(++generation, model.name, partitions);

/** However batches are cut, repeated, interrupted or raced for, the rows are those of one straight run over the log. */
export function projectionInvariants(options: InvariantsOptions): void {
  describe("the rows equal those of a straight rebuild", () => {
    const seed = Number(process.env.PROXIMAL_SEED ?? 20_260_301);
    let history: History;
    let expected: string;
    let readModels: ReadModels;
    beforeAll(async () => {
      history = await learningHistory(seed, { model, events: options.events });
      expected = await straightDigest(history);
      readModels = await options.open();
    });

    test.each([1, 2, 7, 50])("when batches hold at most %i events", async (batchSize) => {
      const deps = depsOf(history, readModels);
      const namespace = nextNamespace();
      await runToHead(deps, pipelineOf(deps, namespace), batchSize);
      expect(await digestNamespace(readModels, namespace), `seed ${seed}`).toBe(expected);
    });

    test("when every batch is applied twice, by the same worker and by another", async () => {
      const deps = depsOf(history, readModels);
      const namespace = nextNamespace();
      const [first, second] = [pipelineOf(deps, namespace), pipelineOf(deps, namespace)];
      let position = await first.load();
      for (let atHead = false; !atHead; ) {
        await second.load();
        const page = await history.log.read(position, 13);
        expect(await first.handle(page)).toBe(page.position);
        expect(await first.handle(page)).toBe(page.position);
        await refusedOr(() => second.handle(page));
        ({ position, atHead } = page);
      }
      expect(await digestNamespace(readModels, namespace), `seed ${seed}`).toBe(expected);
    });

    test.each<FaultKind>(["before", "after", "torn"])("when it crashes at any call, failing %s", async (kind) => {
      const deps = depsOf(history, readModels);
      let crashed = true;
      for (let k = 1; crashed; k += options.faultStep) {
        const namespace = nextNamespace();
        crashed = await crashAt(k, kind, deps, namespace);
        await runToHead(deps, pipelineOf(deps, namespace), 31);
        expect(await digestNamespace(readModels, namespace), `seed ${seed}, crash at ${k}`).toBe(expected);
      }
    });

    test("when it crashes again and again", async () => {
      const deps = depsOf(history, readModels);
      const namespace = nextNamespace();
      for (let k = 4; await crashAt(k, k % 2 === 0 ? "after" : "torn", deps, namespace); k += 1);
      expect(await digestNamespace(readModels, namespace), `seed ${seed}`).toBe(expected);
    });

    test("when two workers race as owners of the same partition", async () => {
      for (let race = 0; race < options.races; race += 1) {
        const random = seededRandom(seed + race);
        const namespace = nextNamespace();
        const owner = () => {
          const slow = delayed(readModels, () => random.below(random.chance(0.1) ? 12 : 3));
          return raceToHead(depsOf(history, slow), namespace, () => 1 + random.below(60));
        };
        await Promise.all([owner(), owner()]);
        expect(await digestNamespace(readModels, namespace), `seed ${seed + race}`).toBe(expected);
      }
    });

    test("when four partitions are folded side by side, and some are raced for", async () => {
      const random = seededRandom(seed);
      const namespace = nextNamespace(4);
      const owner = (partition: number) => {
        const slow = delayed(readModels, () => random.below(3));
        return raceToHead(depsOf(history, slow), namespace, () => 1 + random.below(90), partition, 4);
      };
      await Promise.all([0, 1, 2, 3, 1, 2].map(owner));
      expect(await digestNamespace(readModels, namespace), `seed ${seed}`).toBe(await straightDigest(history, 4));
    });

    test("when learners' rows, or the counters, are lost on the way", async () => {
      const deps = depsOf(history, readModels);
      const random = seededRandom(seed);
      const namespace = nextNamespace();
      for (let stop = 40; stop < options.events; stop += 40) {
        const pipeline = pipelineOf(deps, namespace);
        let position = await pipeline.load();
        while (position < stop) position = await pipeline.handle(await history.log.read(position, 20));
        for await (const page of readModels.keys(`${namespace}:`)) {
          const lost = (key: string) => (key.includes(":counters:") ? stop % 80 === 0 : random.chance(0.15));
          await readModels.remove(page.filter(lost));
        }
      }
      await runToHead(deps, pipelineOf(deps, namespace), 20);
      // Learners without an event since the loss are found by the next one only: give each one.
      for (const learnerId of history.learnerIds) await history.append(`learner-${learnerId}`, ...viewOf(learnerId));
      await runToHead(deps, pipelineOf(deps, namespace), 20);
      expected = await straightDigest(history);
      expect(await digestNamespace(readModels, namespace), `seed ${seed}`).toBe(expected);
    });
  });
}

const viewOf = (learnerId: string): [string, object] => [
  "InteractionRecorded",
  {
    interactionId: `view-${learnerId}`,
    learnerId,
    itemId: "item-1",
    kind: "view",
    skillIds: ["skill-1"],
    occurredAt: new Date(historyStart).toISOString(),
  },
];

/** Runs until the k-th call of any port fails. False when it came to the end before. */
async function crashAt(k: number, kind: FaultKind, deps: PipelineDeps, namespace: string): Promise<boolean> {
  const faults = faultsAt(k, kind);
  const { feed, store, blobs, readModels } = deps;
  const wrapped = {
    ...deps,
    ...{ feed: faults.wrap(feed), store: faults.wrap(store) },
    ...{ blobs: faults.wrap(blobs), readModels: faults.wrap(readModels) },
  };
  try {
    await runToHead(wrapped, pipelineOf(wrapped, namespace), 31);
    return false;
  } catch (error) {
    if (error instanceof InjectedFault) return true;
    throw error;
  }
}

async function refusedOr(action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof PartitionLost)) throw error;
  }
}

/** Goes on until it has seen the head, starting again from what is stored whenever it lost. */
async function raceToHead(
  deps: PipelineDeps,
  namespace: string,
  batchSize: () => number,
  partition = 0,
  partitions = 1,
): Promise<void> {
  const pipeline = pipelineOf(deps, namespace, partition, partitions);
  const head = await deps.feed.head();
  let position = await pipeline.load();
  while (position < head) {
    try {
      position = await pipeline.handle(await deps.feed.read(position, batchSize()));
    } catch (error) {
      if (!(error instanceof PartitionLost)) throw error;
      position = await pipeline.load();
    }
  }
}
