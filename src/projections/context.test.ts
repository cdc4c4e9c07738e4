import { expect, it } from "vitest";
import { createMemoryBlobs } from "../adapters/blobs/memory.ts";
import { createMemoryLog } from "../adapters/event-store/memory.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { lrLite } from "../domain/learner-model/models.ts";
import type { StoredEvent } from "../domain/stored-event.ts";
import { createContext } from "./context.ts";

const model = lrLite as LearnerModel;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A log of publications, of which some lost their weights; what is asked of the store of weights is noted. */
async function published(count: number, lost: readonly number[] = []) {
  const [log, kept] = [createMemoryLog(), createMemoryBlobs()];
  for (let version = 1; version <= count; version += 1) {
    const weights = `w-${version}`;
    const data = { version, model: model.name, trainedTo: version, answers: version, weights, metrics: {} };
    const metadata = { schemaVersion: 1 };
    const event = { eventId: crypto.randomUUID(), type: "ModelPublished", data, metadata, recordedAt: at };
    await log.append([{ stream: "model", expected: "any", events: [event] }]);
    if (!lost.includes(version)) await kept.put("model", weights, model.encodePublished(model.newWeights()));
  }
  const asked: string[] = [];
  let fails = 0;
  const blobs = {
    ...kept,
    async get(kind: string, name: string) {
      asked.push(name);
      if (fails-- > 0) throw new Error("the store is away");
      return kept.get(kind, name);
    },
  };
  const { events } = await log.read(0, 100);
  const failNext = (times: number): void => {
    fails = times;
  };
  return { context: createContext({ feed: log, blobs, model, log: silent }), events, asked, failNext, kept };
}
const at = "2026-03-01T08:00:00.000Z";

it("loads, of models in a row, the last one only", async () => {
  const { context, events, asked } = await published(5);
  await context.advance(events);
  expect([context.current.version, asked]).toEqual([5, ["w-5"]]);
  expect((await context.weightsAt(events[2]?.position ?? 0)).version).toBe(2);
  const other = await published(5);
  await other.context.moveTo(4);
  expect([other.context.current.version, other.asked]).toEqual([4, ["w-4"]]);
});

it("serves on with the weights before those that are lost, at each position", async () => {
  const { context, events } = await published(5, [3, 5]);
  await context.advance(events);
  expect(context.current.version).toBe(4);
  const versions = await Promise.all(events.map(async ({ position }) => (await context.weightsAt(position)).version));
  expect(versions).toEqual([0, 1, 2, 2, 4]);
});

it("does not go back to earlier weights where those that were used are gone", async () => {
  const { context, events, kept } = await published(6);
  for (const event of events) await context.advance(event);
  await kept.remove("model", "w-1");
  await expect(context.weightsAt(events[1]?.position ?? 0)).rejects.toThrow("were there and are gone");
});

it("comes to the same when it is tried again after the store was away", async () => {
  const { context, failNext } = await published(3);
  failNext(1);
  await expect(context.moveTo(3)).rejects.toThrow("away");
  await context.moveTo(3);
  expect(context.current.version).toBe(3);
});

it("fetches what it will need beforehand, a few at a time, and once", async () => {
  const { context, events, asked } = await published(40);
  const answers = events.flatMap((event): StoredEvent[] => [event, { ...event, type: "InteractionRecorded" }]);
  context.foresee(answers);
  expect(asked.length).toBe(8);
  for (const event of events) await context.advance(event);
  expect(asked).toEqual(events.map((_, n) => `w-${n + 1}`));
  context.foresee(events);
  expect(asked.length).toBe(40);
});
