import { describe, expect, onTestFinished, test } from "vitest";
import { type History, historyStart, learningHistory } from "../../test/support/learning-history.ts";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { learnerModels } from "../domain/learner-model/models.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { digestNamespace } from "../projections/digest.ts";
import { storedPosition } from "../projections/live-view.ts";
import type { PipelineDeps } from "../projections/pipeline.ts";
import {
  type LiveView,
  learnerKey,
  readItemStats,
  readLearnerState,
  readLiveView,
  readNext,
  readPopular,
  rowFormat,
} from "../projections/rows.ts";
import { createProjector, type Projector, type ProjectorOptions } from "./projector.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const clock = { now: () => historyStart };
const lrFull = learnerModels["lr-full"];

function depsOf(history: History, readModels: ReadModels, model: LearnerModel = lrFull): PipelineDeps {
  return { feed: history.log, store: history.log, blobs: history.blobs, readModels, model, clock, log: silent };
}

async function started(deps: PipelineDeps, options: ProjectorOptions = {}): Promise<Projector> {
  const projector = createProjector(deps, { popularTickMs: 0, retryMs: 1, sweptPerSecond: 0, ...options });
  onTestFinished(() => projector.stop());
  await projector.start();
  return projector;
}

async function liveView(readModels: ReadModels): Promise<LiveView> {
  const view = await readLiveView(readModels);
  if (view === null) throw new Error("no live view");
  return view;
}

async function straightDigest(history: History, partitions = 1): Promise<string> {
  const readModels = createMemoryReadModels();
  const projector = await started(depsOf(history, readModels), { partitions });
  await projector.caughtUp();
  return digestNamespace(readModels, (await liveView(readModels)).namespace);
}

const namespaces = async (readModels: ReadModels): Promise<string[]> => {
  const found = new Set<string>();
  for await (const page of readModels.keys("n")) for (const key of page) found.add(key.split(":")[0] ?? "");
  return [...found].sort();
};

describe("the projector", () => {
  test("answers every question from its rows once it has caught up", async () => {
    const history = await learningHistory(5, { model: lrFull, events: 300 });
    const readModels = createMemoryReadModels();
    const projector = await started(depsOf(history, readModels), { partitions: 3 });
    await projector.caughtUp();
    expect(projector.position()).toBe(await history.log.head());
    expect(projector.status().map(({ partition, state }) => [partition, state])).toEqual(
      [0, 1, 2].map((p) => [p, "at_head"]),
    );
    const view = await liveView(readModels);
    expect(view).toMatchObject({ namespace: `n1.lr-full.f${rowFormat}.p3`, partitions: 3 });
    let answers = 0;
    for (const learnerId of history.learnerIds) {
      const stream = await history.log.readStream(`learner-${learnerId}`, { limit: 1000 });
      const state = await readLearnerState(readModels, view, learnerId, lrFull);
      const list = await readNext(readModels, view, learnerId);
      expect(state?.revision).toBe(stream.length);
      expect(list).toMatchObject({
        revision: stream.length,
        position: stream.at(-1)?.position,
        sessionType: "practice",
      });
      // The track holds few items.
      expect(list?.items.length).toBeGreaterThan(list?.trackId === null ? 5 : 0);
      const session = state?.lastSessionType ?? "practice";
      expect((await readNext(readModels, view, learnerId, session))?.revision).toBe(stream.length);
      answers += state?.answers ?? 0;
    }
    const popular = await readPopular(readModels, view, "all", "week");
    expect(popular?.items.length).toBeGreaterThan(20);
    expect((await readPopular(readModels, view, "skill:skill-2", "all"))?.items[0]?.learners).toBeGreaterThan(1);
    expect((await readPopular(readModels, view, "track:by-item", "hour"))?.items.length).toBeGreaterThan(3);
    const items = ["unknown-item", ...Array.from({ length: 40 }, (_, at) => `item-${at}`)];
    const stats = await Promise.all(items.map((itemId) => readItemStats(readModels, view, itemId)));
    expect(stats.reduce((sum, one) => sum + one.attempts, 0)).toBe(answers);
  });

  test("a partition that nothing concerns says all the same how far it is, to other processes too", async () => {
    const history = await learningHistory(6, { model: lrFull, events: 50 });
    const readModels = createMemoryReadModels();
    const deps = { ...depsOf(history, readModels), clock: { now: () => performance.now() } };
    const projector = await started(deps, { partitions: 8, idleWaitMs: 20 });
    await projector.caughtUp();
    const stored = (): Promise<(number | null)[]> =>
      Promise.all(Array.from({ length: 8 }, (_, partition) => storedPosition(readModels, partition)));
    const head = await history.log.head();
    await expect.poll(stored, { timeout: 30_000 }).toEqual(Array(8).fill(head));
  });

  test("a retired item leaves the popular lists; equal content is not written again", async () => {
    const history = await learningHistory(5, { model: lrFull, events: 200 });
    const readModels = createMemoryReadModels();
    const projector = await started(depsOf(history, readModels));
    await projector.caughtUp();
    const view = await liveView(readModels);
    const first = (await readPopular(readModels, view, "all", "all"))?.items[0]?.itemId;
    const data = { itemId: first };
    await history.append(`item-${first}`, "ItemRetired", data);
    await projector.caughtUp();
    await expect
      .poll(async () => (await readPopular(readModels, view, "all", "all"))?.items.map(({ itemId }) => itemId))
      .not.toContain(first);
  });

  test("goes on where it stopped, from what is stored", async () => {
    const history = await learningHistory(6, { model: lrFull, events: 120 });
    const readModels = createMemoryReadModels();
    const first = await started(depsOf(history, readModels), { batchSize: 17 });
    await first.caughtUp();
    await first.stop();
    await history.grow(80);
    const second = await started(depsOf(history, readModels), { batchSize: 17 });
    await second.caughtUp();
    const read = second.status()[0]?.eventsIn ?? 0;
    expect(read).toBeLessThan(110);
    const { namespace } = await liveView(readModels);
    expect(await digestNamespace(readModels, namespace)).toBe(await straightDigest(history));
  });

  test("start and stop are idempotent, at any moment", async () => {
    const history = await learningHistory(7, { model: lrFull, events: 60 });
    const readModels = createMemoryReadModels();
    for (let round = 0; round < 40; round += 1) {
      const projector = createProjector(depsOf(history, readModels), { batchSize: 7 });
      const starting = Promise.all([projector.start(), projector.start()]);
      for (let turn = 0; turn < round; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await Promise.all([projector.stop(), projector.stop()]);
      await starting;
      await expect(projector.start()).rejects.toThrow("stopped");
    }
    const last = await started(depsOf(history, readModels));
    await last.caughtUp();
    const { namespace } = await liveView(readModels);
    expect(await digestNamespace(readModels, namespace)).toBe(await straightDigest(history));
  });
});

describe("rebuild", () => {
  test("builds equal rows beside the live ones while events come in, switches, and keeps one namespace back", async () => {
    const history = await learningHistory(8, { model: lrFull, events: 250 });
    const readModels = createMemoryReadModels();
    const projector = await started(depsOf(history, readModels), { partitions: 2, batchSize: 20 });
    await projector.caughtUp();
    for (let round = 1; round <= 3; round += 1) {
      const before = await liveView(readModels);
      const rebuilding = projector.rebuild();
      await history.grow(40);
      const { comparison, namespace, position } = await rebuilding;
      expect(comparison).toMatchObject({ differing: [], different: 0, behind: 0 });
      expect(position).toBeGreaterThan(250);
      expect((await liveView(readModels)).namespace).toBe(namespace);
      expect(projector.view()?.namespace).toBe(namespace);
      expect(await namespaces(readModels)).toEqual([before.namespace, namespace].sort());
    }
    await history.grow(30);
    await projector.caughtUp();
    const { namespace } = await liveView(readModels);
    expect(await digestNamespace(readModels, namespace)).toBe(await straightDigest(history, 2));
  });

  test("tells which rows were wrong, and puts right ones in their place", async () => {
    const history = await learningHistory(9, { model: lrFull, events: 150 });
    const readModels = createMemoryReadModels();
    const projector = await started(depsOf(history, readModels));
    await projector.caughtUp();
    const { namespace } = await liveView(readModels);
    const key = learnerKey(namespace, "learner-1");
    const [row] = await readModels.read([key]);
    const version = row?.version ?? 0;
    await readModels.write([{ key, from: version, to: version, set: new Map([["next", Buffer.from("damaged")]]) }]);
    await readModels.remove([learnerKey(namespace, "learner-2")]);
    const { comparison } = await projector.rebuild();
    expect(comparison?.differing).toEqual([":learner:learner-1", ":learner:learner-2"]);
    const rebuilt = await liveView(readModels);
    expect(await digestNamespace(readModels, rebuilt.namespace)).toBe(await straightDigest(history));
  });

  test("one at a time, by name, with a report", async () => {
    const history = await learningHistory(10, { model: lrFull, events: 60 });
    const readModels = createMemoryReadModels();
    const projector = await started(depsOf(history, readModels));
    await projector.caughtUp();
    const { operations } = projector;
    expect(await operations.rebuildStatus("learners")).toBeNull();
    const [first, second] = await Promise.all([operations.rebuild("next-items"), operations.rebuild("learners")]);
    expect(first).toMatchObject({ name: "next-items", status: "running" });
    expect(second.startedAt).toBe(first.startedAt);
    await expect(projector.rebuild()).rejects.toThrow("running already");
    await expect(operations.rebuild("nonsense")).rejects.toThrow("nonsense");
    await expect.poll(async () => (await operations.rebuildStatus("learners"))?.status).toBe("done");
    expect(await operations.rebuildStatus("learners")).toMatchObject({ identical: true, differing: [], error: null });
  });

  test("that is cut short by a stop changes nothing", async () => {
    const history = await learningHistory(11, { model: lrFull, events: 150 });
    for (let turns = 0; turns < 60; turns += 4) {
      const readModels = createMemoryReadModels();
      const projector = await started(depsOf(history, readModels), { batchSize: 10 });
      await projector.caughtUp();
      const rebuilding = projector.rebuild().catch(() => null);
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await projector.stop();
      await rebuilding;
      const again = await started(depsOf(history, readModels));
      await again.caughtUp();
      const { namespace } = await liveView(readModels);
      expect(await digestNamespace(readModels, namespace)).toBe(await straightDigest(history));
    }
  });

  test("happens by itself when the stored rows are of another model", async () => {
    const history = await learningHistory(12, { model: lrFull, events: 100 });
    const readModels = createMemoryReadModels();
    const first = await started(depsOf(history, readModels));
    await first.caughtUp();
    await first.stop();
    const second = await started(depsOf(history, readModels, learnerModels.elo));
    await expect.poll(async () => (await liveView(readModels)).namespace).toBe(`n2.elo.f${rowFormat}.p1`);
    expect(await second.rebuild()).toMatchObject({ comparison: { differing: [] } });
  });
});

describe("parked learners", () => {
  test("are listed and tried again by learner", async () => {
    const history = await learningHistory(13, { model: lrFull, events: 60 });
    const readModels = createMemoryReadModels();
    await history.append("learner-new", "SomethingElse", { learnerId: "new" });
    const projector = await started(depsOf(history, readModels), { partitions: 2 });
    await projector.caughtUp();
    const [parked] = await projector.operations.parked();
    expect(parked).toMatchObject({ learnerId: "new", revision: 1, attempts: 1 });
    expect(parked?.error).toContain('unknown event type "SomethingElse"');
    const outcome = await projector.operations.retry("new");
    expect(outcome).toMatchObject({ status: "still_failing" });
    expect(await projector.operations.retry("learner-0")).toEqual({ status: "not_parked" });
    expect(projector.status().reduce((sum, { parked: n }) => sum + n, 0)).toBe(1);
    const partly = createProjector(depsOf(history, readModels), {
      partitions: 2,
      owned: [1 - (parked?.partition ?? 0)],
    });
    onTestFinished(() => partly.stop());
    await partly.start();
    await expect(partly.retry("new")).rejects.toThrow("owned elsewhere");
  });
});
