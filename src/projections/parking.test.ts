import { beforeEach, describe, expect, test } from "vitest";
import { delayed, faultsAt, InjectedFault } from "../../test/support/faulty-ports.ts";
import { type History, historyStart, learningHistory } from "../../test/support/learning-history.ts";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { lrLite } from "../domain/learner-model/models.ts";
import type { StoredEvent } from "../domain/stored-event.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Feed } from "../ports/feed.ts";
import { digestNamespace } from "./digest.ts";
import { depsOf, pipelineOf, runToHead, straightDigest } from "./invariants.contract.ts";
import { PartitionLost, type Pipeline, type PipelineDeps } from "./pipeline.ts";
import { learnerKey, namespaceOf } from "./rows.ts";

const model = lrLite as LearnerModel;
const seed = 77;
const namespace = namespaceOf(1, model.name, 1);
const victim = "learner-3";
const stream = `learner-${victim}`;

const answer = (interactionId: string, more: object = {}) => ({
  ...{ interactionId, learnerId: victim, itemId: "item-2", kind: "answer", correct: true, skillIds: ["skill-2"] },
  ...{ sessionType: "review", occurredAt: new Date(historyStart).toISOString(), ...more },
});

/** Before the repair the log shows what was written; after it, what an upcaster would make of it. */
function repairable(log: EventStore & Feed, repair: (event: StoredEvent) => StoredEvent) {
  let repaired = false;
  const mend = (events: readonly StoredEvent[]) => (repaired ? events.map(repair) : [...events]);
  const view: EventStore & Feed = {
    append: (requests) => log.append(requests),
    readStream: async (name, options) => mend(await log.readStream(name, options)),
    async read(after, limit, filter) {
      const page = await log.read(after, limit, filter);
      return { ...page, events: mend(page.events) };
    },
    waitForMore: (after, timeoutMs, signal) => log.waitForMore(after, timeoutMs, signal),
    head: () => log.head(),
    behind: (after, filter) => log.behind(after, filter),
  };
  return {
    view,
    repair() {
      repaired = true;
    },
  };
}

const poisons: Record<string, { type: string; data: object; schemaVersion: number }> = {
  "an event of a version from the future": { type: "InteractionRecorded", data: answer("future"), schemaVersion: 99 },
  "an event of an unknown type": { type: "InteractionDreamt", data: answer("type"), schemaVersion: 1 },
  "an event with invalid data": { type: "InteractionRecorded", data: answer("x", { kind: "dance" }), schemaVersion: 1 },
  "an event of another kind of stream": {
    type: "ItemRetired",
    data: { ...answer("other"), itemId: "item-1" },
    schemaVersion: 1,
  },
};

describe.each(Object.entries(poisons))("%s", (_name, poison) => {
  let history: History;
  let fixed: ReturnType<typeof repairable>;
  let deps: PipelineDeps;

  beforeEach(async () => {
    history = await learningHistory(seed, { model, events: 150 });
    await history.append(stream, poison.type, poison.data, poison.schemaVersion);
    await history.grow(150);
    fixed = repairable(history.log, (event) => {
      if (event.stream !== stream) return event;
      const data = { ...(event.data as object), kind: "answer" };
      const interaction = (event.data as { kind: string }).kind === "dance" || event.type !== "InteractionRecorded";
      return {
        ...event,
        type: "InteractionRecorded",
        data: interaction ? data : event.data,
        metadata: { schemaVersion: 1 },
      };
    });
    deps = { ...depsOf(history, createMemoryReadModels()), feed: fixed.view, store: fixed.view };
  });

  const expectedDigest = () => {
    fixed.repair();
    return straightDigest({ ...history, log: fixed.view });
  };

  async function retried(pipeline: Pipeline) {
    const result = pipeline.retry(stream);
    await pipeline.between();
    return result;
  }

  test.each([1, 9, 1000])("parks that learner only (batches of %i)", async (batchSize) => {
    const pipeline = pipelineOf(deps, namespace);
    await runToHead(deps, pipeline, batchSize);
    expect([...pipeline.parked.keys()]).toEqual([stream]);
    const parked = pipeline.parked.get(stream);
    const [bad] = (await history.log.readStream(stream, { limit: 1000 })).filter(
      (e) => e.position === parked?.position,
    );
    expect(bad).toMatchObject({ revision: parked?.revision, type: poison.type });

    fixed.repair();
    const clean = { ...deps, readModels: createMemoryReadModels() };
    await runToHead(clean, pipelineOf(clean, namespace), 1000);
    for (const learnerId of history.learnerIds.filter((id) => id !== victim)) {
      const key = learnerKey(namespace, learnerId);
      expect(await deps.readModels.read([key])).toEqual(await clean.readModels.read([key]));
    }
    const [row] = await deps.readModels.read([learnerKey(namespace, victim)]);
    expect(row?.version).toBe((parked?.revision ?? 0) - 1);
  });

  test("stays parked over a restart, and while it is not repaired; then it is folded and counted", async () => {
    await runToHead(deps, pipelineOf(deps, namespace), 20);
    const pipeline = pipelineOf(deps, namespace);
    await runToHead(deps, pipeline, 20);
    expect(await retried(pipeline)).toMatchObject({ status: "still_parked", parked: { attempts: 2 } });
    expect(await retried(pipeline)).toMatchObject({ status: "still_parked", parked: { attempts: 3 } });
    const expected = await expectedDigest();
    expect(await retried(pipeline)).toMatchObject({ status: "released" });
    expect(await digestNamespace(deps.readModels, namespace)).toBe(expected);
    expect(await retried(pipeline)).toEqual({ status: "not_parked" });
    await history.grow(60);
    await runToHead(deps, pipeline, 20);
    expect(await digestNamespace(deps.readModels, namespace)).toBe(await expectedDigest());
  });

  test("a retry that crashes at any call is none, or is done, and can be repeated", async () => {
    const parkedRows = createMemoryReadModels();
    const parkedDeps = { ...deps, readModels: parkedRows };
    await runToHead(parkedDeps, pipelineOf(parkedDeps, namespace), 20);
    fixed.repair();
    const straight = await straightDigest({ ...history, log: fixed.view });
    for (const kind of ["before", "after"] as const) {
      for (let k = 1, crashed = true; crashed; k += 1) {
        const readModels = await copyOf(parkedRows);
        crashed = await crashInRetry({ ...deps, readModels }, k, kind);
        const again = pipelineOf({ ...deps, readModels }, namespace);
        await runToHead({ ...deps, readModels }, again, 20);
        await retried(again);
        expect(await digestNamespace(readModels, namespace), `${kind} ${k}`).toBe(straight);
        expect(again.parked.size).toBe(0);
      }
    }
  });

  async function crashInRetry(on: PipelineDeps, k: number, kind: "before" | "after"): Promise<boolean> {
    const start = pipelineOf(on, namespace);
    const faults = faultsAt(k, kind);
    await runToHead(on, start, 20);
    const wrapped = { ...on, store: faults.wrap(on.store), readModels: faults.wrap(on.readModels) };
    const pipeline = pipelineOf(wrapped, namespace);
    try {
      await pipeline.load();
      for (let position = 0; position < (await on.feed.head()); ) {
        const page = await on.feed.read(position, 1000);
        position = await pipeline.handle(page);
      }
      const result = pipeline.retry(stream);
      result.catch(() => undefined);
      await pipeline.between();
      return false;
    } catch (error) {
      if (error instanceof InjectedFault) return true;
      throw error;
    }
  }
});

async function copyOf(rows: ReturnType<typeof createMemoryReadModels>) {
  const copy = createMemoryReadModels();
  for await (const page of rows.keys("")) {
    const read = await rows.read(page);
    await copy.write(
      page.map((key, at) => ({ key, from: 0, to: read[at]?.version ?? 0, set: read[at]?.fields ?? new Map() })),
    );
  }
  return copy;
}

describe("a fold that throws", () => {
  test("parks the learner, and spoils nothing that was folded before", async () => {
    let broken = true;
    const fragile: LearnerModel = {
      ...model,
      observe(weights, local, given) {
        const p = model.observe(weights, local, given);
        if (broken && given.itemId === "item-that-breaks") throw new Error("a bug in the model");
        return p;
      },
    };
    const history = await learningHistory(seed, { model, events: 100 });
    await history.append(stream, "InteractionRecorded", answer("bad", { itemId: "item-that-breaks" }));
    await history.grow(50);
    const deps = { ...depsOf(history, createMemoryReadModels()), model: fragile };
    const pipeline = pipelineOf(deps, namespace);
    await runToHead(deps, pipeline, 1000);
    expect(pipeline.parked.get(stream)?.error).toBe("a bug in the model");
    broken = false;
    const result = pipeline.retry(stream);
    await pipeline.between();
    expect(await result).toMatchObject({ status: "released" });
    expect(await digestNamespace(deps.readModels, namespace)).toBe(await straightDigest(history));
  });

  test("of two owners who retry and go on at the same time, none loses a count", async () => {
    for (let round = 0; round < 10; round += 1) {
      const history = await learningHistory(seed + round, { model, events: 60 });
      const at = await history.append(stream, "InteractionRecorded", answer("bad"), 99);
      await history.grow(40);
      const fixed = repairable(history.log, (event) =>
        event.position === at ? { ...event, metadata: { schemaVersion: 1 } } : event,
      );
      const readModels = createMemoryReadModels();
      const deps = { ...depsOf(history, readModels), feed: fixed.view, store: fixed.view };
      const slow = { ...deps, readModels: delayed(readModels, () => round % 4) };
      const [a, b] = [pipelineOf(deps, namespace), pipelineOf(slow, namespace)];
      await runToHead(deps, a, 20);
      await runToHead(slow, b, 20);
      fixed.repair();
      const result = a.retry(stream).catch(() => null);
      await history.grow(20);
      const going = async (pipeline: Pipeline, on: PipelineDeps) => {
        try {
          await pipeline.between();
          await pipeline.handle(await on.feed.read(await on.feed.head().then((head) => head - 20), 1000));
        } catch {
          // As the loop does: it may lose again, as often as the other writes.
          for (let lost = true; lost; ) {
            lost = await runToHead(on, pipeline, 20).then(
              () => false,
              (error: unknown) => {
                if (error instanceof PartitionLost) return true;
                throw error;
              },
            );
          }
        }
      };
      await Promise.all([going(a, deps), going(b, slow)]);
      await result;
      await runToHead(deps, a, 20);
      const again = a.retry(stream);
      await a.between();
      await again;
      expect(await digestNamespace(readModels, namespace), `round ${round}`).toBe(
        await straightDigest({ ...history, log: fixed.view }),
      );
    }
  });
});
