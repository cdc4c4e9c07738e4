import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addPopularity,
  countEngagement,
  decodePopularity,
  encodePopularity,
  halfLifeMs,
  newPopularity,
  type Popularity,
  popularCount,
  popularRank,
  popularWindows,
} from "./popular-items.ts";

const start = Date.parse("2026-03-01T00:00:00Z");
const hour = 3_600_000;

interface Engagement {
  readonly learner: number;
  readonly at: number;
}

/** Counts engagements in this order, as the fold of each learner's state would tell them. */
function counted(engagements: readonly Engagement[]): Popularity {
  const popularity = newPopularity();
  const latest = new Map<number, number>();
  for (const { learner, at } of engagements) {
    const previousAt = latest.get(learner) ?? null;
    countEngagement(popularity, at, { previousAt });
    latest.set(learner, Math.max(at, previousAt ?? at));
  }
  return popularity;
}

/** The definition, summed naively: each engagement's worth, decayed to `now`. */
function bruteForce(engagements: readonly Engagement[], halfLife: number, now: number): number {
  const latest = new Map<number, number>();
  let sum = 0;
  for (const { learner, at } of engagements) {
    const before = latest.get(learner);
    const worth = before === undefined ? 1 : at <= before ? 0 : 1 - 2 ** -((at - before) / halfLife);
    sum += worth * 2 ** (-(now - at) / halfLife);
    latest.set(learner, Math.max(at, before ?? at));
  }
  return sum;
}

const engagements = fc.array(
  fc.record({ learner: fc.nat(5), at: fc.nat(40 * 24 * hour).map((offset) => start + offset) }),
  { minLength: 1, maxLength: 60 },
);

describe("popularity", () => {
  test("is the decayed count of learners, times in any order", () => {
    fc.assert(
      fc.property(engagements, (all) => {
        const popularity = counted(all);
        const now = Math.max(...all.map(({ at }) => at));
        for (const window of ["hour", "day", "week"] as const) {
          const count = popularCount(popularRank(popularity, window), window, now);
          const wanted = bruteForce(all, halfLifeMs[window], now);
          expect(Math.abs(count - wanted)).toBeLessThan(1e-4 * Math.max(1, wanted));
        }
        const learners = new Set(all.map(({ learner }) => learner)).size;
        expect(popularCount(popularRank(popularity, "all"), "all", now)).toBeCloseTo(learners, 9);
      }),
    );
  });

  test("does not depend on the order of learners, nor on how they are split over partitions", () => {
    fc.assert(
      fc.property(engagements, (all) => {
        const whole = counted(all);
        const byLearner = [...all].sort((a, b) => b.learner - a.learner);
        expect(encodePopularity(counted(byLearner))).toEqual(encodePopularity(whole));
        const merged = newPopularity();
        for (const part of [0, 1, 2]) addPopularity(merged, counted(all.filter((one) => one.learner % 3 === part)));
        expect(encodePopularity(merged)).toEqual(encodePopularity(whole));
      }),
    );
  });

  test("is read back as it was written", () => {
    fc.assert(
      fc.property(engagements, (all) => {
        const popularity = counted(all);
        expect(decodePopularity(encodePopularity(popularity))).toEqual(popularity);
      }),
    );
  });

  test("one busy learner never outranks two who did it once at the end, in any window", () => {
    const busy = counted(Array.from({ length: 5000 }, (_, n) => ({ learner: 1, at: start + n * 60_000 })));
    const end = start + 5000 * 60_000;
    const two = counted([
      { learner: 2, at: end },
      { learner: 3, at: end },
    ]);
    for (const window of popularWindows) {
      expect(popularCount(popularRank(busy, window), window, end)).toBeLessThanOrEqual(1.0001);
      expect(popularRank(two, window)).toBeGreaterThan(popularRank(busy, window));
    }
  });

  test("ranks stay the same as time goes by, and counts halve", () => {
    const popularity = counted([{ learner: 1, at: start }]);
    const rank = popularRank(popularity, "day");
    expect(popularCount(rank, "day", start)).toBeCloseTo(1, 5);
    expect(popularCount(rank, "day", start + 24 * hour)).toBeCloseTo(0.5, 5);
    expect(popularCount(rank, "day", start + 10 * 24 * hour)).toBeCloseTo(2 ** -10, 8);
  });

  test("what nobody did ranks below everything", () => {
    for (const window of popularWindows) expect(popularRank(newPopularity(), window)).toBe(Number.NEGATIVE_INFINITY);
  });

  test("an item keeps a bounded number of sums, however long it is popular", () => {
    const years = Array.from({ length: 3000 }, (_, n) => ({ learner: n, at: start + n * 9 * hour }));
    expect(encodePopularity(counted(years)).length).toBeLessThan(400);
  });
});
