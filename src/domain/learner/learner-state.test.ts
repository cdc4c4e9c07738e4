import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EventOf, InteractionRecorded } from "../events.ts";
import type { LearnerModel } from "../learner-model/learner-model.ts";
import { learnerModels } from "../learner-model/models.ts";
import {
  abilityOf,
  evolveLearner,
  type LearnerState,
  lastItemIds,
  lastItemsMax,
  newLearnerState,
  recentOutcomesMax,
} from "./learner-state.ts";
import { learnerStateFromJson, learnerStateToJson } from "./learner-state-json.ts";

const start = Date.parse("2026-03-01T08:00:00Z");
const model = learnerModels["lr-lite"];
const weights = model.newWeights();

function eventOf(state: LearnerState, data: Partial<InteractionRecorded>): EventOf<"InteractionRecorded"> {
  const revision = state.revision + 1;
  return {
    ...{ type: "InteractionRecorded", eventId: `e${revision}`, stream: "learner-a", revision, position: revision * 3 },
    ...{ recordedAt: new Date(start + revision).toISOString(), metadata: { schemaVersion: 1 } },
    data: {
      ...{ interactionId: `i${revision}`, learnerId: "a", itemId: "item", kind: "answer", skillIds: ["s"] },
      occurredAt: new Date(start + revision * 1000).toISOString(),
      ...(data.kind === undefined || data.kind === "answer" ? { correct: true } : {}),
      ...data,
    },
  };
}

const fold = (state: LearnerState, data: Partial<InteractionRecorded>, by: LearnerModel = model) =>
  evolveLearner(state, eventOf(state, data), { model: by, weights: by.newWeights(), reviewBy: "skill" });

const interactions = fc.array(
  fc.record<Partial<InteractionRecorded>>(
    {
      itemId: fc.nat(12).map((n) => `item-${n}`),
      skillIds: fc.array(
        fc.nat(4).map((n) => `s${n}`),
        { maxLength: 3 },
      ),
      kind: fc.constantFrom("answer", "view", "hint", "skip", "rating"),
      occurredAt: fc.nat(10 * 86_400_000).map((offset) => new Date(start + offset).toISOString()),
      durationMs: fc.nat(60_000),
      hintCount: fc.nat(2),
      sessionType: fc.constantFrom("practice", "review", "placement", "mock_test"),
      trackId: fc.constantFrom("t1", "t2"),
    },
    { requiredKeys: ["itemId", "skillIds", "kind"] },
  ),
  { maxLength: 60 },
);

describe("a learner's state", () => {
  test("counts answers, streaks and recent outcomes", () => {
    const state = newLearnerState(model);
    for (const correct of [true, true, true, false, true]) fold(state, { correct });
    expect(state).toMatchObject({ interactions: 5, answers: 5, correct: 4, streak: 1, bestStreak: 3, revision: 5 });
    expect(state.recent.map(({ correct }) => correct)).toEqual([true, false, true, true, true]);
    for (let n = 0; n < 30; n += 1) fold(state, { itemId: `more-${n}` });
    expect(state.recent).toHaveLength(recentOutcomesMax);
    expect(state.recent[0]?.itemId).toBe("more-29");
  });

  test("learns from answers only", () => {
    const state = newLearnerState(model);
    const untouched = JSON.stringify(model.localToJson(state.local));
    for (const kind of ["view", "hint", "skip", "rating"] as const) {
      const transition = fold(state, { kind });
      expect(transition.answer).toBeNull();
      expect(transition.engagement !== null).toBe(kind === "view");
    }
    expect(JSON.stringify(model.localToJson(state.local))).toBe(untouched);
    expect(state).toMatchObject({ interactions: 4, answers: 0, recent: [], cards: {} });
    expect(state.mastery.size).toBe(0);
  });

  test("remembers items answered, viewed and skipped, each once, newest first", () => {
    const state = newLearnerState(model);
    fold(state, { itemId: "a" });
    fold(state, { itemId: "b", kind: "view" });
    fold(state, { itemId: "c", kind: "skip" });
    fold(state, { itemId: "d", kind: "hint" });
    fold(state, { itemId: "a" });
    expect(lastItemIds(state)).toEqual(["a", "c", "b"]);
    for (let n = 0; n < 250; n += 1) fold(state, { itemId: `more-${n}` });
    expect(lastItemIds(state)).toHaveLength(lastItemsMax);
    expect(lastItemIds(state, 1)[0]).toBe("more-249");
    fold(state, { itemId: "more-100" });
    fold(state, { itemId: "a" });
    expect(lastItemIds(state, 4)).toEqual(["a", "more-100", "more-249", "more-248"]);
    expect(new Set(lastItemIds(state)).size).toBe(lastItemsMax);
  });

  test("tells what others count: first answers, hints, ability before, earlier engagements", () => {
    const state = newLearnerState(model);
    const before = abilityOf(model, weights, state.local);
    const first = fold(state, { durationMs: 4000 });
    expect(first).toMatchObject({ itemId: "item", engagement: { previousAt: null } });
    expect(first.answer).toMatchObject({
      correct: true,
      first: true,
      hinted: false,
      durationMs: 4000,
      ability: before,
    });
    fold(state, { kind: "hint" });
    const second = fold(state, { correct: false });
    expect(second.engagement).toEqual({ previousAt: start + 1000 });
    expect(second.answer).toMatchObject({ correct: false, first: false, hinted: true, durationMs: null });
    expect(second.answer?.ability).toBeGreaterThan(before);
    expect(fold(state, { hintCount: 1 }).answer?.hinted).toBe(true);
    expect(fold(state, {}).answer?.hinted).toBe(false);
  });

  test("takes times that go back: engagements keep the latest, reviews never run backwards", () => {
    const state = newLearnerState(model);
    const at = (offset: number) => new Date(start + offset).toISOString();
    fold(state, { occurredAt: at(5_000_000) });
    expect(fold(state, { occurredAt: at(1_000_000) }).engagement).toEqual({ previousAt: start + 5_000_000 });
    expect(fold(state, { occurredAt: at(6_000_000) }).engagement).toEqual({ previousAt: start + 5_000_000 });
    expect(state.latestAt).toBe(start + 6_000_000);
    expect(state.cards["s:s"]?.[0]).toBe((start + 6_000_000) / 1000);
  });

  test("keeps cards by skill, by item where the track says so, and where there is no skill", () => {
    const state = newLearnerState(model);
    fold(state, { skillIds: ["x", "y", "x"] });
    fold(state, { skillIds: [], itemId: "plain" });
    evolveLearner(state, eventOf(state, { itemId: "q" }), { model, weights, reviewBy: "item" });
    expect(Object.keys(state.cards).sort()).toEqual(["i:plain", "i:q", "s:x", "s:y"]);
  });

  test("takes the next event of the stream only", () => {
    const state = newLearnerState(model);
    const [one, two] = [eventOf(state, {}), { ...eventOf(state, {}), revision: 2 }];
    const context = { model, weights, reviewBy: "skill" } as const;
    expect(() => evolveLearner(state, two, context)).toThrow("revision 2 cannot be folded on revision 0");
    evolveLearner(state, one, context);
    expect(() => evolveLearner(state, one, context)).toThrow("revision 1 cannot be folded on revision 1");
  });

  test.each(["lr-lite", "elo"] as const)("of %s goes on from its stored form as if never stored", (name) => {
    const by = learnerModels[name];
    fc.assert(
      fc.property(interactions, fc.nat(60), (all, cut) => {
        const whole = newLearnerState(by);
        let stored = newLearnerState(by);
        all.forEach((data, at) => {
          const expected = fold(whole, data, by);
          if (at === cut % all.length) {
            stored = learnerStateFromJson(JSON.parse(JSON.stringify(learnerStateToJson(stored, by))), by);
          }
          expect(fold(stored, data, by)).toEqual(expected);
        });
        expect(learnerStateToJson(stored, by)).toEqual(learnerStateToJson(whole, by));
        expect(stored).toEqual(whole);
      }),
    );
  });

  test("of another model or format is refused", () => {
    const json = learnerStateToJson(newLearnerState(learnerModels.elo), learnerModels.elo);
    expect(() => learnerStateFromJson(json, model)).toThrow("not a learner state of format 1, lr-lite");
    expect(() => learnerStateFromJson({}, model)).toThrow("not a learner state");
  });
});
