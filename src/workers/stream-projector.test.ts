import { describe, expect, onTestFinished, test } from "vitest";
import { type History, historyStart, learningHistory } from "../../test/support/learning-history.ts";
import { seededRandom } from "../../test/support/random.ts";
import { expectInOrder } from "../../test/support/stream-order.ts";
import { createMemoryBlobs } from "../adapters/blobs/memory.ts";
import { createMemoryStream, type MemoryStream } from "../adapters/event-stream/memory.ts";
import { createMemoryLease } from "../adapters/lease/memory.ts";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { learnerModels, lrLite } from "../domain/learner-model/models.ts";
import type { StreamMessage } from "../ports/event-stream.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { digestNamespace } from "../projections/digest.ts";
import { straightDigest } from "../projections/invariants.contract.ts";
import { newView, readView, storedPosition, switchView } from "../projections/live-view.ts";
import { createRelay, type Relay } from "./relay.ts";
import { createStreamProjector, type StreamProjector, type StreamProjectorOptions } from "./stream-projector.ts";

const model = lrLite as LearnerModel;
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const clock = { now: () => historyStart };
const partitions = 4;
const seed = Number(process.env.PROXIMAL_SEED ?? 20_260_301);
const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 4);

interface School {
  readonly history: History;
  readonly readModels: ReadModels;
  readonly stream: MemoryStream;
  worker(options?: StreamProjectorOptions, learnerModel?: LearnerModel): Promise<StreamProjector>;
  relay(options?: { batchSize?: number }): Promise<Relay>;
  /** Resolves when the rows hold the whole log. */
  settled(): Promise<void>;
  digest(): Promise<string>;
}

async function school(events: number, schoolSeed = seed, stream = createMemoryStream({ partitions, batchSize: 17 })) {
  const history = await learningHistory(schoolSeed, { model, events });
  const readModels = createMemoryReadModels();
  const lease = createMemoryLease({ now: () => performance.now() });
  const blobs = createMemoryBlobs();
  let relays = 0;
  const made: School = {
    history,
    readModels,
    stream,
    async worker(options = {}, learnerModel = model) {
      const deps = { feed: history.log, store: history.log, blobs: history.blobs, readModels, clock, log: silent };
      const projector = createStreamProjector(
        { ...deps, model: learnerModel, stream },
        { batchSize: 13, viewPollMs: 5, retryMs: 1, popularTickMs: 0, learnersInMemory: 8, listSize: 8, ...options },
      );
      onTestFinished(() => projector.stop());
      await projector.start();
      return projector;
    },
    async relay(options = {}) {
      relays += 1;
      const relay = createRelay(
        { feed: history.log, stream, blobs, lease, holder: `relay ${relays}`, log: silent },
        { batchSize: 11, markEveryMs: 5, remindEveryMs: 50, saveEveryMs: 5, leaseMs: 300, retryMs: 1, ...options },
      );
      onTestFinished(() => relay.stop());
      await relay.start();
      return relay;
    },
    async settled() {
      const head = await history.log.head();
      const behind = async () => {
        for (let partition = 0; partition < partitions; partition += 1) {
          const { view } = await readView(readModels);
          if (view === null || ((await storedPosition(readModels, partition)) ?? 0) < lastFor(stream, partition, head))
            return true;
        }
        return false;
      };
      await expect.poll(behind, { timeout: 30_000, interval: 5 }).toBe(false);
    },
    async digest() {
      const { view } = await readView(readModels);
      return digestNamespace(readModels, view?.namespace ?? "");
    },
  };
  return made;
}

/** Position of the last event of a partition's learners: for the catalogue's alone no checkpoint is written. */
function lastFor(stream: MemoryStream, partition: number, head: number): number {
  const messages = stream.sent[partition] ?? [];
  if (messages.every(({ position }) => position < head)) return Number.POSITIVE_INFINITY;
  return Math.max(0, ...messages.flatMap(({ event }) => (event?.stream.startsWith("learner-") ? event.position : [])));
}

describe("what the stream's readers make is what the log makes", () => {
  test("with one worker, and marks that bring partitions without events to the head", async () => {
    const { history, relay, worker, digest } = await school(200);
    await relay();
    const projector = await worker();
    await expect.poll(() => projector.status().length).toBe(partitions);
    await projector.caughtUp();
    expect(projector.position()).toBe(await history.log.head());
    expect(await digest()).toBe(await straightDigest(history, partitions));
  });

  test(
    "invariant 3 and 4: workers come and go, the stream repeats and loses, rows are lost, relays are two",
    async () => {
      for (let at = 0; at < runs; at += 1) {
        const random = seededRandom(seed + at);
        const stream = disturbed(createMemoryStream({ partitions, batchSize: 1 + random.below(40) }), random);
        const { history, readModels, relay, worker, settled, digest } = await school(60, seed + at, stream);
        await Promise.all([relay(), relay()]);
        let workers = [await worker()];
        for (let step = 0; step < 12; step += 1) {
          await history.grow(random.below(30));
          const what = random.next();
          if (what < 0.3) workers.push(await worker());
          else if (what < 0.5 && workers.length > 1) await workers.splice(random.below(workers.length), 1)[0]?.stop();
          else if (what < 0.65) stream.rewind(random.below(20));
          else if (what < 0.8) await loseRows(readModels, (key) => !key.startsWith("live") && random.chance(0.3));
          else if (what < 0.85) await loseRows(readModels, () => true);
          for (let turns = random.below(8); turns > 0; turns -= 1)
            await new Promise((resolve) => setTimeout(resolve, 1));
        }
        // A worker beside rows that were lost while it stood idle begins again when it is told; here nobody tells.
        await Promise.all(workers.map((one) => one.stop()));
        workers = [await worker(), await worker()];
        // Learners without an event since a loss are found by the next one only: give each one.
        for (const learnerId of history.learnerIds) await history.append(`learner-${learnerId}`, ...viewOf(learnerId));
        await settled();
        await Promise.all(workers.map((one) => one.caughtUp()));
        expect(await digest(), `seed ${seed + at}`).toBe(await straightDigest(history, partitions));
        await Promise.all(workers.map((one) => one.stop()));
      }
    },
    Math.max(30_000, runs * 3_000),
  );

  test("invariant 1: a learner's events are in one partition, in order, whatever relays do", async () => {
    const { history, relay, stream } = await school(150);
    const relays = [await relay(), await relay({ batchSize: 3 })];
    await relays[0]?.caughtUp();
    await relays[0]?.stop();
    await history.grow(50);
    await expect.poll(() => relays[1]?.status().active).toBe(true);
    await relays[1]?.caughtUp();
    const { learnersEvents, positions } = expectInOrder(stream.sent);
    expect(learnersEvents).toBeGreaterThan(100);
    expect(Math.max(...positions)).toBe(await history.log.head());
  });

  test("a gap is read from the log: messages that never came, and events too large for the stream", async () => {
    const stream = createMemoryStream({ partitions, batchSize: 9 });
    const { send } = stream;
    let nth = 0;
    stream.send = (messages) =>
      send(
        messages.flatMap((message) => {
          nth += 1;
          if (nth % 5 === 0) return [];
          return nth % 7 === 0 ? [{ ...message, prev: message.position, event: null }] : [message];
        }),
      );
    const { history, relay, worker, digest } = await school(200, seed, stream);
    await relay();
    const projector = await worker();
    await expect.poll(() => projector.status().length).toBe(partitions);
    await projector.caughtUp();
    expect(await digest()).toBe(await straightDigest(history, partitions));
  });
});

describe("the rows that a stream projector writes", () => {
  test("are those that a rebuild switched to", async () => {
    const { history, readModels, relay, worker, digest } = await school(120);
    await relay();
    const projector = await worker();
    await expect.poll(() => projector.status().length).toBe(partitions);
    await projector.caughtUp();
    const next = newView(2, model, partitions);
    expect(await switchView(readModels, next, (await readView(readModels)).version)).toBe(true);
    await expect.poll(() => projector.view()?.namespace).toBe(next.namespace);
    await history.grow(40);
    await projector.caughtUp();
    expect(await digest()).toBe(await straightDigest(history, partitions));
  });

  test("begin again from nothing when the engine says that they may be gone", async () => {
    const { history, readModels, relay, worker, digest } = await school(120);
    let tell: () => void = () => undefined;
    readModels.onLoss = (listener) => {
      tell = () => listener("any");
      return () => undefined;
    };
    await relay();
    const projector = await worker();
    await expect.poll(() => projector.status().length).toBe(partitions);
    await projector.caughtUp();
    await loseRows(readModels, () => true);
    tell();
    await expect.poll(digest, { timeout: 30_000 }).toBe(await straightDigest(history, partitions));
  });

  test("are made anew, by one of the workers, where the live ones are of another configuration", async () => {
    const { history, readModels, relay, worker, digest } = await school(50);
    await relay();
    const other = newView(7, learnerModels.elo as LearnerModel, partitions);
    await switchView(readModels, other, 0);
    const [first, second] = [await worker(), await worker()];
    const views = () => [first.view()?.model, second.view()?.model];
    await expect.poll(views, { timeout: 30_000 }).toEqual([model.name, model.name]);
    await expect.poll(() => first.status().length + second.status().length).toBe(partitions);
    await history.grow(20);
    await Promise.all([first.caughtUp(), second.caughtUp()]);
    expect(await digest()).toBe(await straightDigest(history, partitions));
    for await (const keys of readModels.keys(other.namespace)) expect(keys).toEqual([]);
  });

  test("name those who are parked, and try them again where they are owned", async () => {
    const { history, relay, worker } = await school(50);
    await history.append("learner-new", "SomethingElse", { learnerId: "new" });
    await relay();
    const [first, second] = [await worker(), await worker()];
    await expect.poll(() => first.status().length + second.status().length).toBe(partitions);
    await Promise.all([first.caughtUp(), second.caughtUp()]);
    const parked = [...first.parked(), ...second.parked()];
    expect(parked.map(({ parked: { stream } }) => stream)).toEqual(["learner-new"]);
    const outcomes = await Promise.allSettled([first.retry("new"), second.retry("new")]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  test("start and stop are idempotent, at any moment", async () => {
    const { history, relay, worker, settled, digest, stream, readModels } = await school(60);
    await relay();
    for (let round = 0; round < 20; round += 1) {
      const deps = { feed: history.log, store: history.log, blobs: history.blobs, readModels, clock, log: silent };
      const projector = createStreamProjector({ ...deps, model, stream }, { batchSize: 7, retryMs: 1, listSize: 8 });
      const starting = Promise.all([projector.start(), projector.start()]);
      for (let turn = 0; turn < round; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await Promise.all([projector.stop(), projector.stop()]);
      await starting;
      await expect(projector.start()).rejects.toThrow("stopped");
    }
    const last = await worker();
    await settled();
    await last.caughtUp();
    expect(await digest()).toBe(await straightDigest(history, partitions));
  });
});

/** Now and then fails before or after the effect, or sends all twice. */
function disturbed(stream: MemoryStream, random: ReturnType<typeof seededRandom>): MemoryStream {
  const { send } = stream;
  return Object.assign(stream, {
    async send(messages: readonly StreamMessage[]) {
      const what = random.next();
      if (what < 0.05) throw new Error("the stream is away");
      await send(messages);
      if (what < 0.1) throw new Error("the answer was lost");
      if (what < 0.3) await send(messages);
    },
  });
}

async function loseRows(readModels: ReadModels, lost: (key: string) => boolean): Promise<void> {
  for (const prefix of ["n", "live"]) {
    for await (const page of readModels.keys(prefix)) await readModels.remove(page.filter(lost));
  }
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
