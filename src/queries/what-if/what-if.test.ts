import { describe, expect, test } from "vitest";
import { type History, learningHistory } from "../../../test/support/learning-history.ts";
import { withPolicy } from "../../domain/item-bank/bank.ts";
import { bankOfLearner, selectForLearner } from "../../domain/learner/select-for-learner.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { learnerModels } from "../../domain/learner-model/models.ts";
import { idOf } from "../../domain/streams.ts";
import { readLearnerState } from "../../projections/rows.ts";
import type { ReplayRun } from "../replays/replay-kind.ts";
import { openPast } from "../time-travel/past.ts";
import { changed, whatIfInputSchema } from "./input.ts";
import type { WhatIfReport } from "./report.ts";
import { runWhatIf, type WhatIfDeps, type WhatIfWorkers, workersHere } from "./what-if.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const seed = Number(process.env.PROXIMAL_SEED ?? 20_260_502);
const model = learnerModels["lr-lite"] as LearnerModel;
const now = { now: () => Number.MAX_SAFE_INTEGER };

function depsOf({ log, blobs }: History, workers: Partial<WhatIfWorkers> = {}): WhatIfDeps {
  const here = workersHere({ feed: log, blobs, model, log: silent });
  return { feed: log, model, clock: now, workers: { ...here, ...workers } };
}

/** A run whose files and checkpoints are in memory; it can be cut off and gone on with. */
function memoryRun(resumeFrom: unknown = null, files = new Map<string, string>(), checkpointsMax = Infinity) {
  let saved: { state: unknown; files: Map<string, string> } = { state: resumeFrom, files: new Map(files) };
  let checkpoints = 0;
  const cut = new AbortController();
  const run: ReplayRun = {
    ...{ replayId: "test", signal: cut.signal, resumeFrom },
    progress: () => undefined,
    async checkpoint(state) {
      saved = { state: JSON.parse(JSON.stringify(state)), files: new Map(files) };
      checkpoints += 1;
      if (checkpoints >= checkpointsMax) cut.abort(new Error("cut off"));
    },
    async openFile(name) {
      files.set(name, files.get(name) ?? "");
      return {
        get bytes() {
          return (files.get(name) ?? "").length;
        },
        write: async (chunk) => void files.set(name, (files.get(name) ?? "") + String(chunk)),
        close: async () => undefined,
      };
    },
  };
  return { run, files, saved: () => saved };
}

async function report(history: History, input: object, workers: Partial<WhatIfWorkers> = {}): Promise<WhatIfReport> {
  return runWhatIf(depsOf(history, workers), whatIfInputSchema.parse(input), memoryRun().run);
}

test("a policy that changes nothing changes nothing; the model in use is refused", async () => {
  const history = await learningHistory(seed, { model, events: 200 });
  const { tally } = await report(history, { policy: {} });
  const { choices, due, mastery } = tally;
  expect(choices.lists).toBeGreaterThan(80);
  expect([choices.firstChanged, choices.lists - choices.identical, choices.items - choices.itemsKept]).toEqual([
    0, 0, 0,
  ]);
  expect([due.changed, mastery.gained, mastery.lost]).toEqual([0, 0, 0]);
  expect(choices.firstSuccessBefore).toBe(choices.firstSuccessAfter);
  await expect(report(history, { model: "lr-lite" })).rejects.toThrow("nothing would change");
  await expect(report(history, { policy: {}, from: "7", to: "7" })).rejects.toThrow("nothing between position 7");
  await expect(report(history, { policy: {}, to: "99999" })).rejects.toThrow("to the log ends at position");
});

test("counts what time travel to each answer, asked under both policies, finds", async () => {
  const history = await learningHistory(seed, { model, events: 160, learners: 6 });
  const change = { targetSuccess: 0.4, doNotRepeat: 2, reviewShare: 0.6, explorationRate: 0.4 };
  const from = 80;
  const { tally } = await report(history, { policy: change, from: String(from), count: 4 });
  const { events } = await history.log.read(from, 10_000);
  const seen = { lists: 0, firstChanged: 0, identical: 0, before: 0 };
  for (const { position, recordedAt, stream, type, data } of events) {
    if (type !== "InteractionRecorded" || (data as { kind: string }).kind !== "answer") continue;
    const deps = { ...history, store: history.log, feed: history.log, model, log: silent, listSize: 9, eventsMax: 1e6 };
    const past = await openPast(deps, { position, time: Date.parse(recordedAt) });
    const learnerId = idOf(stream);
    const view = await past.liveView.current();
    if (view === null) throw new Error("no view");
    const state = await readLearnerState(past.readModels, view, learnerId, model);
    if (state === null) throw new Error("no state");
    const own = bankOfLearner(learnerId, state.lastTrackId, past.catalogue.bank);
    const asked = { learnerId, state, model, sessionType: state.lastSessionType, now: state.recordedAt, size: 4 };
    const { weights } = past.model.current();
    const before = selectForLearner({ ...asked, weights, bank: own }).items;
    const other = withPolicy(own, changed(own.policy, change), "x");
    const after = selectForLearner({ ...asked, weights, bank: other }).items;
    seen.lists += 1;
    if (before[0]?.itemId !== after[0]?.itemId) seen.firstChanged += 1;
    if (JSON.stringify(before.map((i) => i.itemId)) === JSON.stringify(after.map((i) => i.itemId))) seen.identical += 1;
    seen.before += Math.round((before[0]?.p ?? 0) * 10_000);
  }
  const { lists, firstChanged, identical, firstSuccessBefore } = tally.choices;
  expect({ lists, firstChanged, identical, before: firstSuccessBefore }).toEqual(seen);
  expect(firstChanged).toBeGreaterThan(10);
  expect(identical).toBeLessThan(lists);
});

test("review settings and thresholds change due dates and mastery, choices too, and for whom is said", async () => {
  const history = await learningHistory(seed, { model, events: 400, learners: 5 });
  const { run, files } = memoryRun();
  const input = whatIfInputSchema.parse({ policy: { reviews: { retention: 0.75 }, masteryThreshold: 0.55 } });
  const { tally } = await runWhatIf(depsOf(history), input, run);
  expect(tally.due.changed).toBeGreaterThan(5);
  expect([tally.due.later, tally.due.earlier]).toEqual([tally.due.changed, 0]);
  expect(tally.mastery.gained).toBeGreaterThan(0);
  expect(tally.mastery.lost).toBe(0);
  const sum = Object.values(tally.skills).reduce((all, { gained }) => all + gained, 0);
  expect(sum).toBe(tally.mastery.gained);
  expect(tally.most).toHaveLength(5);
  expect(tally.byShare.reduce((a, b) => a + b)).toBe(tally.learners);
  expect(files.get("learners.csv")?.split("\r\n")).toHaveLength(1 + 5 + 1);
  const html = files.get("report.html") ?? "";
  expect(html).toContain("<svg");
  expect(html).toContain("Due dates at the end");
});

describe("another model", () => {
  test("is trained on the log where it published nothing, and taken as published where it did", async () => {
    const history = await learningHistory(seed, { model, events: 300, learners: 5 });
    const trained = await report(history, { model: "elo" });
    expect([trained.models.after, trained.models.weights]).toEqual(["elo", "trained"]);
    expect(trained.tally.choices.firstChanged).toBeGreaterThan(0);
    const elo = learnerModels.elo as LearnerModel;
    await history.blobs.put("model", "elo-1", elo.encodeWeights(elo.newWeights()));
    const data = { version: 1, model: "elo", trainedTo: 1, answers: 1, metrics: {}, weights: "elo-1" };
    await history.append("model", "ModelPublished", data);
    expect((await report(history, { model: "elo" })).models.weights).toBe("published");
  });
});

test("is the same in one range or many, and when it was cut off after each", async () => {
  const history = await learningHistory(seed, { model, events: 300, learners: 9 });
  const input = whatIfInputSchema.parse({ policy: { targetSuccess: 0.5, reviewBy: "item" }, track: "by-item" });
  const whole = await report(history, input);
  expect(whole.tally.choices.lists).toBeGreaterThan(10);
  const straight = memoryRun();
  const many = await runWhatIf(depsOf(history, { width: 3 }), input, straight.run);
  expect(many.tally).toEqual(whole.tally);

  let state: unknown = null;
  let files = new Map<string, string>();
  for (let cuts = 0; ; cuts += 1) {
    const cut = memoryRun(state, files, 1);
    // One range at a time: each is saved when the run is cut.
    const one = { ...depsOf(history), workers: { ...depsOf(history).workers, width: state === null ? 3 : 1 } };
    const end = await runWhatIf(one, input, cut.run).catch((error: Error) => error);
    if (!(end instanceof Error)) {
      expect(end.tally).toEqual(whole.tally);
      break;
    }
    expect(end.message).toBe("cut off");
    ({ state, files } = cut.saved());
    // What comes after the cut is no part of it.
    await history.grow(5);
    expect(cuts).toBeLessThan(6);
  }
  expect(files.get("learners.csv")).toBe(straight.files.get("learners.csv"));
});

test("a sample is of so many learners, the same for the same seed, and another for another", async () => {
  const history = await learningHistory(seed, { model, events: 300, learners: 12 });
  const names = async (s: string) => {
    const { tally } = await report(history, { policy: { targetSuccess: 0.3 }, learners: 4, seed: s });
    return tally.most.map(({ learnerId }) => learnerId).sort();
  };
  const first = await names("1");
  expect(first).toHaveLength(4);
  expect(await names("1")).toEqual(first);
  const others = await Promise.all(["2", "3", "4"].map(names));
  expect(others.some((other) => other.join() !== first.join())).toBe(true);
});

test("every other answer is half as many choices", async () => {
  const history = await learningHistory(seed, { model, events: 300, learners: 3 });
  const all = await report(history, { policy: {} });
  const half = await report(history, { policy: {}, every: 2 });
  expect(Math.abs(half.tally.choices.lists - all.tally.choices.lists / 2)).toBeLessThanOrEqual(3);
});

test.each([
  [{}, "give a policy"],
  [{ policy: { targetSucess: 0.5 } }, "there is no such field"],
  [{ policy: { reviews: { retension: 0.9 } } }, "there is no such field"],
  [{ policy: { targetSuccess: 7 } }, "<=0.99"],
  [{ policy: { itemKinds: ["video"] } }, "no part of a what-if"],
  [{ policy: {}, from: "yesterday" }, "is a position or a time"],
  [{ policy: {}, extra: 1 }, "Unrecognized key"],
])("%j is refused: %s", (input, why) => {
  const result = whatIfInputSchema.safeParse(input);
  expect(result.error?.issues.map(({ message }) => message).join()).toContain(why);
});
