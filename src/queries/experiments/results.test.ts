import { beforeEach, describe, expect, test } from "vitest";
import { type History, historyStart, learningHistory } from "../../../test/support/learning-history.ts";
import { type Experiment, trackDefinedSchema } from "../../domain/events.ts";
import { armIn } from "../../domain/experiments/assignment.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { lrLite } from "../../domain/learner-model/models.ts";
import { learnerStream, trackStream } from "../../domain/streams.ts";
import { TooMuchHistory } from "../time-travel/past-counters.ts";
import { experimentsInLog } from "./experiments-in-log.ts";
import { type ExperimentResults, experimentResults } from "./results.ts";
import { resultsTable } from "./results-text.ts";

const model = lrLite as LearnerModel;
const arms = [
  { arm: "as-before", share: 0.5, policy: {} },
  { arm: "harder", share: 0.5, policy: { targetSuccess: 0.6 } },
];
const experiment: Experiment = { experimentId: "e", salt: "", arms };
const track = { trackId: "t", title: "T", skillIds: ["skill-0"] };
const dayMs = 24 * 3_600_000;
const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

let history: History;
beforeEach(async () => {
  history = await learningHistory(1, { model, events: 0 });
});

const define = (more: object) => history.append(trackStream("t"), "TrackDefined", { ...track, ...more });
let interactions = 0;
async function answers(learnerId: string, correct: boolean, more: object = {}): Promise<void> {
  interactions += 1;
  const dealt = armIn({ ...trackDefinedSchema.parse({ ...track, experiment }), retired: false }, learnerId);
  await history.append(learnerStream(learnerId), "InteractionRecorded", {
    ...{ interactionId: `i-${interactions}`, learnerId, itemId: `item-${interactions % 6}`, skillIds: ["skill-0"] },
    ...{ kind: "answer", correct, score: correct ? 1 : 0, durationMs: 30_000, trackId: "t", experiment: dealt },
    ...{ occurredAt: new Date(historyStart + interactions * 1000).toISOString(), ...more },
  });
}

async function results(eventsMax = Number.POSITIVE_INFINITY): Promise<ExperimentResults> {
  const { log, blobs } = history;
  const [found] = await experimentsInLog(log);
  if (found === undefined) throw new Error("no experiment in the log");
  return experimentResults({ feed: log, store: log, blobs, model, log: silent }, found, { eventsMax });
}

describe("experiments in the log", () => {
  test("begin, change and end", async () => {
    expect(await experimentsInLog(history.log)).toEqual([]);
    const from = await define({ experiment });
    await define({ experiment: { ...experiment, arms: arms.map((arm, at) => ({ ...arm, share: at })) } });
    const [running] = await experimentsInLog(history.log);
    expect(running).toMatchObject({ experimentId: "e", trackId: "t", status: "running", from, to: null, changes: 1 });
    expect(running?.arms.map(({ share }) => share)).toEqual([0, 1]);
    const to = await define({});
    expect(await experimentsInLog(history.log)).toMatchObject([{ status: "ended", from, to }]);
  });

  test("end with their track, or as another one follows", async () => {
    await define({ experiment });
    await define({ experiment: { ...experiment, experimentId: "f" } });
    await history.append(trackStream("t"), "TrackRetired", { trackId: "t" });
    expect((await experimentsInLog(history.log)).map(({ status, experimentId }) => [experimentId, status])).toEqual([
      ["e", "ended"],
      ["f", "ended"],
    ]);
  });
});

describe("results", () => {
  test("count each learner in the arm they were dealt: answers, time, mastery from where they began, memory after a day", async () => {
    for (let n = 0; n < 5; n += 1) await answers("learner-0", true, { experiment: undefined, trackId: undefined });
    await define({ experiment });
    const dealtTo = new Map<string, string[]>(arms.map(({ arm }) => [arm, []]));
    for (let n = 0; n < 40; n += 1) {
      const learnerId = `learner-${n}`;
      const arm = armIn({ experiment, retired: false }, learnerId)?.arm ?? "";
      dealtTo.get(arm)?.push(learnerId);
      const right = arm === "harder" ? [false, true, false, false] : [true, true, true, true];
      for (const correct of right) await answers(learnerId, correct);
      await answers(learnerId, arm === "as-before", {
        occurredAt: new Date(historyStart + 3 * dayMs).toISOString(),
        durationMs: 3_600_000,
      });
    }
    const found = await results();
    expect(found).toMatchObject({ learners: 40, moved: 0, status: "running", masteryThreshold: 0.95 });
    const [control, harder] = found.arms;
    expect(control).toMatchObject({ arm: "as-before", control: true, differences: null });
    expect([control?.learners, harder?.learners]).toEqual([...dealtTo.values()].map(({ length }) => length));
    const estimates = (of: typeof control, names: string[]) =>
      names.map((name) =>
        Object.entries(of?.measures ?? {})
          .find(([key]) => key === name)?.[1]
          .estimate.toFixed(9),
      );
    const names = ["successRate", "answers", "retention", "minutes"];
    expect(estimates(control, names)).toEqual([1, 5, 1, 12].map((value) => value.toFixed(9)));
    expect(estimates(harder, names)).toEqual([0.2, 5, 0, 12].map((value) => value.toFixed(9)));
    // One of those who had learned it before the experiment began gained nothing in it.
    const knew = dealtTo.get("as-before")?.includes("learner-0") === true ? 1 : 0;
    const n = control?.learners ?? 0;
    expect(control?.measures.masteryGained.estimate).toBeCloseTo((n - knew) / n, 10);
    expect(control?.measures.answersPerMastery.estimate).toBeCloseTo((5 * n) / (n - knew), 10);
    expect(harder?.measures.masteryGained.estimate).toBeLessThanOrEqual(0);
    expect(harder?.differences?.successRate.estimate).toBeCloseTo(-0.8, 9);
    expect(harder?.differences?.successRate.high).toBeCloseTo(-0.8, 9);
    expect(harder?.differences?.masteryGained.alwaysHigh).toBeLessThan(0);
    const rows = resultsTable(found).rows.map((row) => row.join("|"));
    expect(rows.find((row) => row.startsWith("|harder") && row.endsWith("worse"))).toBeDefined();
  });

  test("count a skill as mastered by the definition that chooses items: with the evidence that the policy asks for", async () => {
    const gained = async () => (await results()).arms.map(({ measures }) => measures.masteryGained.estimate);
    await define({ experiment });
    for (let n = 0; n < 8; n += 1) for (let i = 0; i < 5; i += 1) await answers(`learner-${n}`, true);
    expect(await gained()).toEqual([1, 1]);
    await define({ experiment, policy: { masteryNeeds: { answersMin: 6 } } });
    expect(await gained()).toEqual([0, 0]);
    await answers("learner-0", true);
    expect((await gained()).filter((share) => share > 0)).toHaveLength(1);
    expect((await results()).masteryNeeds.answersMin).toBe(6);
  });

  test("leave out who was seen in two arms, and what is no part of it; and say so", async () => {
    await answers("before", true);
    await define({ experiment });
    for (const arm of ["as-before", "harder"]) await answers("mover", true, { experiment: { experimentId: "e", arm } });
    await answers("elsewhere", true, { experiment: { experimentId: "other", arm: "harder" } });
    await answers("stays", true);
    await define({});
    await answers("late", true);
    const found = await results();
    expect(found).toMatchObject({ learners: 2, moved: 1, status: "ended" });
    expect(found.arms.map(({ learners }) => learners).reduce((a, b) => a + b, 0)).toBe(1);
    expect(found.warnings).toContain("1 of 2 learners were seen in two arms and are left out");
    expect(found.arms[0]?.measures.returned.estimate).toBeNaN();
  });

  test("tell an arm that learners are kept out of", async () => {
    await define({ experiment });
    for (let n = 0; n < 60; n += 1) {
      const arm = n < 50 ? "harder" : "as-before";
      await answers(`learner-${n}`, true, { experiment: { experimentId: "e", arm } });
    }
    expect((await results()).warnings.filter((warning) => warning.includes("keeps learners out"))).toHaveLength(2);
  });

  test("refuse to read more events than allowed", async () => {
    await define({ experiment });
    for (let n = 0; n < 5; n += 1) await answers(`learner-${n}`, true);
    await expect(results(9)).rejects.toThrow(TooMuchHistory);
    expect((await results(10)).learners).toBe(5);
  });
});
