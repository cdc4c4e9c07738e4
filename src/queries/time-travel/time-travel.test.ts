import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { answersOf, withoutPopularPosition } from "../../../test/support/all-answers.ts";
import { type History, learningHistory } from "../../../test/support/learning-history.ts";
import { liveOn, testListSize } from "../../../test/support/live-answers.ts";
import { seededRandom } from "../../../test/support/random.ts";
import { createMemoryLog } from "../../adapters/event-store/memory.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { learnerModels } from "../../domain/learner-model/models.ts";
import type { Feed } from "../../ports/feed.ts";
import { keepLiveCounters } from "../../projections/counters-kept.ts";
import { itemStatsOf } from "../item-stats.ts";
import type { ReplayRun } from "../replays/replay-kind.ts";
import { countersKind } from "./counters-kind.ts";
import { TooMuchHistory } from "./past-counters.ts";
import { createPlaces } from "./place.ts";
import { createTimeTravel } from "./time-travel.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const seed = Number(process.env.PROXIMAL_SEED ?? 20_260_411);

const travel = (history: History, model: LearnerModel, eventsMax = 100_000) =>
  createTimeTravel({
    ...{ store: history.log, feed: history.log, blobs: history.blobs, model, log: silent },
    ...{ listSize: testListSize, eventsMax, clock: { now: () => Number.MAX_SAFE_INTEGER } },
  });

describe.each(["lr-full", "elo"] as const)("with the model %s", (name) => {
  const model = learnerModels[name] as LearnerModel;
  let live: Awaited<ReturnType<typeof liveOn>> | undefined;
  afterAll(() => live?.stop());

  test("what was answered live while the log grew is answered again, byte for byte, once it has grown", async () => {
    const random = seededRandom(seed);
    const history = await learningHistory(seed, { model, events: 330, learners: 7 });
    // A stream that cannot be folded on: its learner stays where they were.
    await history.append("learner-learner-3", "InteractionRecorded", { nonsense: true });
    await history.grow(60);
    const events = (await history.log.read(0, 10_000)).events;
    live = await liveOn(history, model, 2);
    const recorded: { at: string; learnerIds: string[]; itemIds: string[]; said: string[] }[] = [];
    for (let position = 60; position <= events.length; position += 1 + random.below(14)) {
      const here = Date.parse(events[position - 1]?.recordedAt ?? "");
      const later = Date.parse(events[position]?.recordedAt ?? "");
      // By position the clock is that of the event; by time it may be any up to the next one.
      const byTime = later > here && random.chance(0.5);
      const time = byTime ? (random.chance(0.5) ? later - 1 : here + random.below(later - here)) : here;
      await live.at(position, time);
      const learnerIds = [random.pick(history.learnerIds), "learner-3", "nobody"];
      const itemIds = ["item-0", `item-${random.below(40)}`, "unknown-item"];
      const said = await answersOf(live, learnerIds, itemIds);
      if (random.chance(0.3)) await keepLiveCounters({ ...live, feed: history.log, blobs: history.blobs, model });
      recorded.push({ at: byTime ? new Date(time).toISOString() : String(position), learnerIds, itemIds, said });
    }
    expect(recorded.length).toBeGreaterThan(20);
    expect((await history.blobs.names("counters")).length).toBeGreaterThan(2);
    const past = travel(history, model);
    for (const { at, learnerIds, itemIds, said } of recorded) {
      const again = await past.ask(at, async (then) => ({ said: await answersOf(then, learnerIds, itemIds) }));
      expect(again.said.map(withoutPopularPosition), `at ${at}, seed ${seed}`).toEqual(
        said.map(withoutPopularPosition),
      );
    }
  });
});

const quietRun: ReplayRun = {
  ...{ replayId: "test", signal: new AbortController().signal, resumeFrom: null },
  ...{ progress: () => undefined, checkpoint: async () => undefined },
  openFile: () => Promise.reject(new Error("it makes no file")),
};

describe("a question about many learners", () => {
  const model = learnerModels.elo as LearnerModel;
  const stats = (at: string, travelling: ReturnType<typeof travel>) =>
    travelling.ask(at, async (past) => ({ said: await itemStatsOf(past, "item-2") }));

  test("is refused where too many events would have to be folded, and answered once counters were kept near it", async () => {
    const history = await learningHistory(seed, { model, events: 300, learners: 5 });
    const head = await history.log.head();
    const at = String(head - 3);
    const generous = await stats(at, travel(history, model));
    const bounded = travel(history, model, 150);
    await expect(stats(at, bounded)).rejects.toThrow(TooMuchHistory);
    const live = await liveOn(history, model, 2);
    await live.at(head - 12, 0);
    await keepLiveCounters({ ...live, feed: history.log, blobs: history.blobs, model });
    await live.stop();
    // Few events are left to count, but each learner is folded from their first.
    expect(await stats(at, travel(history, model, 290))).toEqual(generous);
    await expect(stats(at, travel(history, model, 20))).rejects.toThrow(TooMuchHistory);
    const kind = countersKind({
      ...{ feed: history.log, eventStore: history.log, blobs: history.blobs, model, log: silent },
      clock: { now: () => Number.MAX_SAFE_INTEGER },
    });
    await kind.run({ at }, quietRun);
    expect(await stats(at, travel(history, model, 0))).toEqual(generous);
    await expect(kind.run({ at: "99999" }, quietRun)).rejects.toThrow("at the log ends at position");
  });

  test("counters of another log, or damaged ones, are of no use", async () => {
    const history = await learningHistory(seed, { model, events: 200, learners: 5 });
    const at = String(await history.log.head());
    const right = await stats(at, travel(history, model));
    const other = await learningHistory(seed + 1, { model, events: 100, learners: 5 });
    const live = await liveOn(other, model);
    await live.at(await other.log.head(), 0);
    await keepLiveCounters({ ...live, feed: other.log, blobs: history.blobs, model });
    await live.stop();
    const name = (await history.blobs.names("counters"))[0] ?? "";
    await history.blobs.put("counters", name.replace(/^0/, "0").replace(/\d\./, "1."), Buffer.from("damaged"));
    expect(await stats(at, travel(history, model))).toEqual(right);
  });
});

describe("a place in the log", () => {
  const model = learnerModels.elo as LearnerModel;
  const now = Date.parse("2030-01-01T00:00:00Z");

  test("is a position, or a time between two events; else the refusal says what it is", async () => {
    const { log } = await learningHistory(seed, { model, events: 40 });
    const { events } = await log.read(0, 1_000);
    const places = createPlaces(log, () => now);
    for (const { position, recordedAt } of events) {
      const time = Date.parse(recordedAt);
      expect(await places.find(String(position))).toEqual({ position, time });
      const last = events.findLast((one) => one.recordedAt <= recordedAt)?.position;
      expect(await places.find(recordedAt)).toEqual({ position: last, time });
      expect(await places.find(new Date(time - 1).toISOString())).toEqual({
        position: events.findLast((one) => one.recordedAt < recordedAt)?.position ?? 0,
        time: time - 1,
      });
    }
    expect(await places.find("0")).toEqual({ position: 0, time: 0 });
    expect((await places.find("2029-06-01T12:00:00 02:00")).position).toBe(events.length);
    for (const [at, why] of [
      ["2031-01-01T00:00:00Z", "lies in the future"],
      [String(events.length + 1), `the log ends at position ${events.length}`],
      ["yesterday", "is a position or a time"],
      ["2026-02-30T99:00:00Z", "is a position or a time"],
      ["2026-03-01", "is a position or a time"],
      ["-1", "is a position or a time"],
    ] as const) {
      await expect(places.find(at), at).rejects.toThrow(why);
    }
  });

  test("by time, in a log that can be read from its own positions only, and that goes on growing", async () => {
    const history = await learningHistory(seed, { model, events: 40 });
    // Positions 10, 20, 30: anywhere else is no place.
    const gaps: Pick<Feed, "read" | "head"> = {
      head: async () => (await history.log.head()) * 10,
      async read(after, limit) {
        if (after % 10 !== 0 && (after + 1) % 10 !== 0) throw new RangeError("no place");
        const page = await history.log.read(Math.floor(after / 10), Math.min(limit, 7));
        const events = page.events.map((event) => ({ ...event, position: event.position * 10 }));
        return { events, position: page.position * 10, atHead: page.atHead };
      },
    };
    const places = createPlaces(gaps, () => now);
    for (let round = 0; round < 2; round += 1) {
      const { events } = await history.log.read(0, 1_000);
      for (const { position, recordedAt } of events) {
        const last = (events.findLast((one) => one.recordedAt <= recordedAt)?.position ?? 0) * 10;
        expect(await places.find(recordedAt)).toEqual({ position: last, time: Date.parse(recordedAt) });
        expect((await places.find(String(position * 10))).position).toBe(position * 10);
      }
      await expect(places.find("15")).rejects.toThrow("15 is no position of this log");
      await history.grow(60);
    }
  });

  test("does not depend on how far the log has grown, where writers' clocks differ", async () => {
    const log = createMemoryLog();
    const random = seededRandom(seed);
    const start = Date.parse("2026-03-01T08:00:00Z");
    const add = async (at: number) => {
      const recordedAt = new Date(start + at * 1_000 + random.below(5_000)).toISOString();
      const event = { eventId: randomUUID(), type: "X", data: {}, metadata: { schemaVersion: 1 }, recordedAt };
      await log.append([{ stream: "x-1", expected: "any", events: [event] }]);
    };
    for (let at = 0; at < 60; at += 1) await add(at);
    const places = createPlaces(log, () => now);
    const asked = Array.from({ length: 40 }, (_, at) => new Date(start + at * 1_100).toISOString());
    const before = await Promise.all(asked.map(places.find));
    for (let at = 60; at < 200; at += 1) await add(at);
    expect(await Promise.all(asked.map(places.find))).toEqual(before);
  });
});
