import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EventOf, type InteractionRecorded, policySchema } from "../events.ts";
import type { Ids } from "../learner-model/ids.ts";
import type { LearnerModel } from "../learner-model/learner-model.ts";
import { learnerModels } from "../learner-model/models.ts";
import { cardOf } from "../reviews/cards.ts";
import {
  abilityOf,
  evolveLearner,
  type LearnerState,
  lastItemIds,
  lastItemsMax,
  masteryOf,
  newLearnerState,
  recentOutcomesMax,
} from "./learner-state.ts";
import { learnerStateFromBytes, learnerStateToBytes } from "./learner-state-bytes.ts";

const start = Date.parse("2026-03-01T08:00:00Z");
const model = learnerModels["lr-full"];
const weights = model.newWeights();
const policy = policySchema.parse({});

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
  evolveLearner(state, eventOf(state, data), { model: by, weights: by.newWeights(), policy });

function read(bytes: Uint8Array, by: LearnerModel): LearnerState {
  const state = learnerStateFromBytes(bytes, by);
  if (state === null) throw new Error("a state of another model or format");
  return state;
}

/** What a state says, without the numbers of its items. */
function told(state: LearnerState, by: LearnerModel) {
  const { ids, items, cards, local, recent, lastNumbers: _, ...rest } = state;
  const byId = (k: number): unknown => [
    items.engagedAt[k],
    items.answers[k],
    cards.items[k] ?? null,
    by.attemptsAt(local, k),
    by.predict(by.newWeights(), local, { itemId: ids.items.list[k] as string, skillIds: ["s1", "s2"], at: start }),
  ];
  return {
    ...rest,
    last: lastItemIds(state),
    skills: ids.skills.list.map((id, k) => [id, by.practiceOf(local, k), cards.skills[k] ?? null]),
    items: Object.fromEntries(ids.items.list.map((id, k) => [id, byId(k)])),
    recent: recent.map(({ item, ...outcome }) => ({ ...outcome, item: ids.items.list[item] })),
  };
}

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
      sessionId: fc.constantFrom("monday", "tuesday"),
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
    expect(state.ids.items.list[state.recent[0]?.item ?? -1]).toBe("more-29");
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
    expect(state).toMatchObject({ interactions: 4, answers: 0, recent: [] });
    expect(state.cards).toMatchObject({ skills: [], items: [] });
    expect(state.mastery).toEqual([]);
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
    expect(cardOf(state.cards, "skills", "s")?.[0]).toBe((start + 6_000_000) / 1000);
  });

  test("keeps cards by skill, by item where the track says so, and where there is no skill", () => {
    const state = newLearnerState(model);
    fold(state, { skillIds: ["x", "y", "x"] });
    fold(state, { skillIds: [], itemId: "plain" });
    evolveLearner(state, eventOf(state, { itemId: "q" }), { model, weights, policy: { ...policy, reviewBy: "item" } });
    const kept = ({ list }: Ids, cards: readonly unknown[]) =>
      list.filter((_, number) => (cards[number] ?? null) !== null);
    expect(kept(state.ids.skills, state.cards.skills)).toEqual(["x", "y"]);
    expect(kept(state.ids.items, state.cards.items)).toEqual(["plain", "q"]);
  });

  test("counts as hard what was answered right though predicted at or below the policy's ceiling", () => {
    const state = newLearnerState(model);
    const under = (pMax: number) => ({ ...policy, masteryNeeds: { ...policy.masteryNeeds, pMax } });
    const answer = (pMax: number, correct: boolean): number => {
      const event = eventOf(state, { correct });
      return evolveLearner(state, event, { model, weights, policy: under(pMax) }).answer?.p ?? Number.NaN;
    };
    expect(answer(0.9, true)).toBeLessThan(0.9);
    expect(masteryOf(state, "s")).toMatchObject({ n: 1, hard: 1 });
    answer(0.9, false);
    answer(0.05, true);
    expect(masteryOf(state, "s")).toMatchObject({ n: 3, hard: 1 });
  });

  test("takes the next event of the stream only", () => {
    const state = newLearnerState(model);
    const [one, two] = [eventOf(state, {}), { ...eventOf(state, {}), revision: 2 }];
    const context = { model, weights, policy };
    expect(() => evolveLearner(state, two, context)).toThrow("revision 2 cannot be folded on revision 0");
    evolveLearner(state, one, context);
    expect(() => evolveLearner(state, one, context)).toThrow("revision 1 cannot be folded on revision 1");
  });

  test.each(["lr-full", "lr-lite", "elo"] as const)("of %s goes on from its stored form as if never stored", (name) => {
    const by = learnerModels[name];
    fc.assert(
      fc.property(interactions, fc.nat(60), (all, cut) => {
        const whole = newLearnerState(by);
        let stored = newLearnerState(by);
        all.forEach((data, at) => {
          const expected = fold(whole, data, by);
          if (at === cut % all.length) {
            stored = read(learnerStateToBytes(stored, by), by);
          }
          expect(fold(stored, data, by)).toEqual(expected);
        });
        const bytes = learnerStateToBytes(whole, by);
        // Whichever numbers items had: that depends on when the state was stored.
        expect(learnerStateToBytes(stored, by)).toEqual(bytes);
        expect(read(learnerStateToBytes(stored, by), by)).toEqual(read(bytes, by));
        expect(told(read(bytes, by), by)).toEqual(told(whole, by));
      }),
    );
  });

  test("of another model or format is none; the JSON of before is of another format", () => {
    const bytes = learnerStateToBytes(newLearnerState(learnerModels.elo), learnerModels.elo);
    expect(learnerStateFromBytes(bytes, model)).toBeNull();
    expect(learnerStateFromBytes(Buffer.from('[1,"lr-lite"]'), model)).toBeNull();
    expect(learnerStateFromBytes(Buffer.alloc(0), model)).toBeNull();
  });

  test("is read back as it was, whatever its ids are made of", () => {
    const state = newLearnerState(model);
    for (const itemId of ["é", "Ã©", "ünï-cödé", "日本語", "😀", "a".repeat(200), "é".repeat(100), "__proto__"]) {
      fold(state, { itemId, skillIds: [itemId, "s"], trackId: itemId });
      expect(told(read(learnerStateToBytes(state, model), model), model)).toEqual(told(state, model));
    }
  });

  test("that is damaged is told, wherever it is: changed, cut, or gone on", () => {
    const state = newLearnerState(model);
    for (const itemId of ["a", "b", "ü"]) fold(state, { itemId });
    const good = learnerStateToBytes(state, model);
    for (let at = 1; at < good.length; at += 1) {
      for (const bit of [1, 128]) {
        const bad = good.slice();
        bad[at] = (bad[at] ?? 0) ^ bit;
        expect(() => learnerStateFromBytes(bad, model), `byte ${at}`).toThrow("a learner state is damaged");
      }
      expect(() => learnerStateFromBytes(good.subarray(0, at), model), `cut at ${at}`).toThrow("a learner state is");
    }
    expect(() => learnerStateFromBytes(Buffer.concat([good, Buffer.alloc(1)]), model)).toThrow("a learner state is");
  });

  test("of 50 skills and 500 items, with ids that end in a number, fits into 4 KB", () => {
    const state = newLearnerState(model);
    for (let n = 0; n < 1500; n += 1) {
      fold(state, { itemId: `item-${100 + (n % 500)}`, skillIds: [`skill-${10 + (n % 50)}`], durationMs: 9000 + n });
    }
    expect(learnerStateToBytes(state, model).length).toBeLessThan(4_000);
  });
});
