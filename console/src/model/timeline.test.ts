import { expect, test } from "vitest";
import { masteryChanges } from "./mastery-changes.ts";
import { largestTerms } from "./terms.ts";
import { type HistoryEvent, outcomeOf, placeInWords, positionAt, toldBy, withEarlier } from "./timeline.ts";

const event = (revision: number, data: unknown, title: string | null = null): HistoryEvent => ({
  ...{ revision, position: revision * 10, type: "InteractionRecorded", recordedAt: "2026-03-01T08:00:00.000Z" },
  ...{ title, data },
});

test("history comes newest first, page by page; the slider goes from the oldest to now", () => {
  const newest = [event(4, { kind: "skip" }), event(3, { kind: "answer", correct: true }, "3 + 4")];
  const older = [event(2, { kind: "answer", correct: false, itemId: "i" }), event(1, null)];
  const first = withEarlier(null, { events: newest, nextBefore: 3 });
  const timeline = withEarlier(first, { events: older, nextBefore: null });
  expect(timeline.steps.map(({ revision }) => revision)).toEqual([1, 2, 3, 4]);
  expect([first.nextBefore, timeline.nextBefore]).toEqual([3, null]);
  expect([0, 2, 3, 4].map((place) => positionAt(timeline, place))).toEqual([10, 30, 40, null]);
  expect([0, 1, 2, 3, 4].map((place) => placeInWords(timeline, place))).toEqual([
    "after event 1: InteractionRecorded, InteractionRecorded",
    "after event 2: wrong, i",
    "after event 3: right, 3 + 4",
    "after event 4: skip, InteractionRecorded",
    "now",
  ]);
});

test("events say what they hold, whatever that is", () => {
  const nothing = { kind: "X", itemId: null, correct: null, durationMs: null, occurredAt: null };
  for (const data of [null, undefined, 3, "text", [], { kind: 1, itemId: {}, correct: "yes", durationMs: "long" }]) {
    expect(toldBy({ type: "X", data })).toEqual(nothing);
  }
  expect(outcomeOf(toldBy({ type: "X", data: { kind: "answer", correct: false } }))).toBe("wrong");
});

test("mastery that moved, the largest move first; what nobody would see is left out", () => {
  const skill = (skillId: string, mastery: number) => ({ skillId, title: skillId, mastery, sd: 0.1, answers: 1 });
  const before = { skills: [skill("a", 0.5), skill("b", 0.5), skill("c", 0.5)] };
  const after = { skills: [skill("a", 0.56), skill("b", 0.501), skill("c", 0.3), skill("d", 0.2)] };
  expect(masteryChanges(before, after).map(({ skillId, before: was }) => [skillId, was])).toEqual([
    ["d", null],
    ["c", 0.5],
    ["a", 0.5],
  ]);
  expect(masteryChanges(null, before)).toHaveLength(3);
});

test("the largest terms are named, and all together are the whole", () => {
  const terms = [0.1, -2, 0.5, -0.2].map((contribution, at) => ({
    feature: `f${at}`,
    value: 1,
    weight: contribution,
    contribution,
  }));
  const prediction = { p: 0.2, logit: -1.6, sd: 0, terms };
  const shown = largestTerms(prediction, 2);
  expect(shown.map(({ name }) => name)).toEqual(["f1", "f2", "2 smaller ones"]);
  expect(shown.reduce((sum, { logits }) => sum + logits, 0)).toBeCloseTo(prediction.logit);
  expect(largestTerms(prediction, 4)).toHaveLength(4);
});
