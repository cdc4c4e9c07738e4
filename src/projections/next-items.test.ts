import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withRules } from "../domain/item-selection/rules.ts";
import { type Reason, type ReasonFacts, rules, stopReasons } from "../domain/item-selection/selection.ts";
import { decodeNext, encodeNext, type NextList } from "./next-items.ts";

const skillId = fc.constantFrom("fractions", "s2", "ü {x}");
const maybeSkill = fc.option(skillId, { nil: null });
const dueAt = fc.constantFrom(1_772_354_000_000, 1_772_440_400_000);
const mastery = fc.constantFrom(0.25, 0.9123, 0.5);
const facts: fc.Arbitrary<ReasonFacts> = fc.oneof(
  fc.constant<ReasonFacts>({ code: "pinned" }),
  fc.constant<ReasonFacts>({ code: "near_target" }),
  fc.record({ code: fc.constantFrom("due_review", "upcoming_review"), skillId: maybeSkill, dueAt }),
  fc.record({ code: fc.constantFrom("open_skill", "maintenance"), skillId, mastery }),
  fc.record({ code: fc.constantFrom("exploration", "most_informative", "topic_coverage"), skillId: maybeSkill }),
  fc.record({ code: fc.constant("popular" as const), learners: fc.nat(1000) }),
);
const reason: fc.Arbitrary<Reason> = fc
  .tuple(facts, fc.oneof(fc.constant(0), fc.nat(2 ** rules.length - 1)))
  .map(([plain, bits]) => withRules(plain, bits));
const unit = (parts: number) => fc.nat(parts).map((n) => n / parts);
const item = fc.record({
  itemId: fc.string({ minLength: 1, maxLength: 20 }),
  p: unit(10_000),
  score: unit(10_000),
  propensity: unit(1_000_000).filter((value) => value > 0),
  reason,
});
const list: fc.Arbitrary<NextList> = fc.record({
  revision: fc.nat(),
  position: fc.nat(),
  at: fc.constant(1_772_354_988_550),
  sessionType: fc.constantFrom("practice", "review"),
  trackId: fc.constantFrom(null, "t"),
  policyVersion: fc.constant("default@0"),
  arm: fc.constantFrom(null, { experimentId: "e", arm: "b" }),
  model: fc.constant("lr-full"),
  modelVersion: fc.nat(50),
  holdsUntil: fc.option(dueAt, { nil: null }),
  stop: fc.option(fc.record({ reason: fc.constantFrom(...stopReasons) }), { nil: null }),
  items: fc.array(item, { maxLength: 30 }),
});

describe("a stored list", () => {
  test("is read back as it was written", () => {
    fc.assert(
      fc.property(list, (written) => {
        const bytes = encodeNext(written);
        expect(decodeNext(bytes)).toEqual(written);
        for (const first of [1, 3, 10]) {
          expect(decodeNext(bytes, first)).toEqual({ ...written, items: written.items.slice(0, first) });
        }
      }),
    );
  });

  test("rounds, but what was drawn never gets a propensity of 0", () => {
    const one = { itemId: "a", p: 0.123456, score: 1 / 3, propensity: 1e-12, reason: { code: "pinned" } as const };
    const base = { revision: 1, position: 1, at: 0, sessionType: "practice", trackId: null } as const;
    const made = { policyVersion: "default@0", arm: null, model: "elo", modelVersion: 0, holdsUntil: null, stop: null };
    const [read] = decodeNext(encodeNext({ ...base, ...made, items: [one] })).items;
    expect(read).toEqual({ ...one, p: 0.1235, score: 0.3333, propensity: 1e-6 });
  });

  test("that is damaged is told, wherever it is", () => {
    const [one] = fc.sample(list, { seed: 3, numRuns: 1 });
    const good = encodeNext(one as NextList);
    for (let at = 0; at < good.length; at += 1) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ 16;
      expect(() => decodeNext(bad), `byte ${at}`).toThrow("a stored list is");
      expect(() => decodeNext(good.subarray(0, at)), `cut at ${at}`).toThrow("a stored list is");
    }
  });
});
