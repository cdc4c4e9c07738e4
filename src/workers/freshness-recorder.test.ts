import { expect, onTestFinished, test } from "vitest";
import { type History, historyStart, learningHistory } from "../../test/support/learning-history.ts";
import { createMemoryBlobs } from "../adapters/blobs/memory.ts";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import { learnerModels } from "../domain/learner-model/models.ts";
import { categoryOf } from "../domain/streams.ts";
import type { Blobs } from "../ports/blobs.ts";
import { readFreshness } from "../queries/freshness.ts";
import { createFreshnessRecorder } from "./freshness-recorder.ts";
import { createProjector, type ProjectorOptions } from "./projector.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const model = learnerModels["lr-lite"];
const wanted = { objective: 0.99, withinSeconds: 1 };

/** A recorder on a clock that the test sets, and projectors that tell it. */
function recording(history: History, blobs: Blobs = createMemoryBlobs()) {
  let now = historyStart;
  const clock = { now: () => now };
  const observed: number[] = [];
  const recorder = createFreshnessRecorder({
    ...{ blobs, clock, log: silent, withinSeconds: 1, observe: (seconds: number) => void observed.push(seconds) },
  });
  onTestFinished(() => recorder.stop());
  return {
    ...{ observed, recorder, blobs },
    set(time: number) {
      now = time;
    },
    async projector(readModels = createMemoryReadModels(), options: ProjectorOptions = {}) {
      const deps = {
        ...{ feed: history.log, store: history.log, blobs: history.blobs, readModels, model, clock, log: silent },
        onVisible: recorder.onVisible,
      };
      const projector = createProjector(deps, { popularTickMs: 0, retryMs: 1, sweptPerSecond: 0, ...options });
      onTestFinished(() => projector.stop());
      await projector.start();
      await projector.caughtUp();
      return projector;
    },
    async read() {
      await recorder.save();
      return readFreshness({ blobs, clock, partitions: 2 }, wanted);
    },
  };
}

async function learnersEvents(history: History, after: number) {
  const { events } = await history.log.read(after, 10_000);
  return events.filter(({ stream }) => categoryOf(stream) === "learner");
}

test("each answer counts once, with the time since its commit; what stood in the log of new or lost rows is no news", async () => {
  const history = await learningHistory(3, { model, events: 100 });
  const { observed, projector, read, set } = recording(history);
  const readModels = createMemoryReadModels();
  const first = await projector(readModels, { partitions: 2 });
  expect(observed).toEqual([]);
  const head = await history.log.head();
  await history.grow(60);
  const news = await learnersEvents(history, head);
  const newest = Math.max(...news.map(({ recordedAt }) => Date.parse(recordedAt)));
  set(newest + 500);
  await first.caughtUp();
  const ages = news.map(({ recordedAt }) => (newest + 500 - Date.parse(recordedAt)) / 1000);
  // Some were folded by the clock of before: not earlier than at their commit.
  expect(observed).toHaveLength(news.length);
  expect(Math.max(...observed)).toBeLessThanOrEqual(Math.max(...ages));
  const { good, total } = await read();
  expect(total).toBe(news.length);
  expect(good).toBe(observed.filter((seconds) => seconds <= 1).length);

  // Stopped for a while: what came in meanwhile was not visible.
  await first.stop();
  const before = await history.log.head();
  await history.grow(30);
  const missed = await learnersEvents(history, before);
  const late = Math.max(...missed.map(({ recordedAt }) => Date.parse(recordedAt))) + 3_600_000;
  set(late);
  await projector(readModels, { partitions: 2 });
  expect(observed).toHaveLength(news.length + missed.length);
  expect(Math.min(...observed.slice(news.length))).toBeGreaterThanOrEqual(3_600);

  // The rows are lost, and all of the log is folded again.
  await projector(createMemoryReadModels(), { partitions: 2 });
  expect(observed).toHaveLength(news.length + missed.length);
  expect((await read()).total).toBe(news.length + missed.length);
});

test("a rebuild is no news either", async () => {
  const history = await learningHistory(4, { model, events: 80 });
  const { observed, projector } = recording(history);
  const one = await projector();
  await one.rebuild();
  expect(observed).toEqual([]);
  const head = await history.log.head();
  await history.grow(20);
  await one.caughtUp();
  expect(observed).toHaveLength((await learnersEvents(history, head)).length);
});

test("counts are kept while they cannot be saved, a restart adds to those before, and the stop saves", async () => {
  const history = await learningHistory(5, { model, events: 10 });
  const kept = createMemoryBlobs();
  let down = true;
  const blobs: Blobs = { ...kept, put: (...args) => (down ? Promise.reject(new Error("gone")) : kept.put(...args)) };
  const { recorder, read, set } = recording(history, blobs);
  const event = (await learnersEvents(history, 0))[0];
  if (event === undefined) throw new Error("no learner's event");
  const step = { event, learner: { stream: event.stream } as never };
  set(Date.parse(event.recordedAt) + 900);
  recorder.onVisible(1, [step, { event, learner: null }]);
  set(Date.parse(event.recordedAt) + 1_100);
  recorder.onVisible(1, [step]);
  expect((await read()).total).toBe(0);
  down = false;
  expect(await read()).toMatchObject({ good: 1, total: 2 });
  const next = recording(history, blobs);
  next.set(Date.parse(event.recordedAt) + 1_200);
  next.recorder.onVisible(1, [step]);
  await next.recorder.stop();
  expect(await read()).toMatchObject({ good: 1, total: 3 });
});
