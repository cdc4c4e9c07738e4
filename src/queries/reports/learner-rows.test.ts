import fc from "fast-check";
import { expect, test } from "vitest";
import { hashOf, LearnerRows } from "./learner-rows.ts";

test("holds all rows while they fit", () => {
  const rows = new LearnerRows(10_000);
  for (let k = 0; k < 5_000; k++) rows.add(k % 7, hashOf(`l${k % 7}`), k, k * 2);
  const { learners, keys, values } = rows.columns();
  expect(rows.share).toBe(1);
  expect([learners[4_999], keys[4_999], values[4_999]]).toEqual([4_999 % 7, 4_999, 9_998]);
});

test("never holds more than it may, whole learners only, and about the share it says", () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 400 }), fc.integer({ min: 1, max: 6 }), (learners, each) => {
      const rows = new LearnerRows(200);
      for (let answer = 0; answer < each; answer++) {
        for (let learner = 0; learner < learners; learner++) rows.add(learner, hashOf(`x${learner}`), answer, 0);
      }
      expect(rows.length).toBeLessThanOrEqual(200);
      const counts = new Map<number, number>();
      for (const learner of rows.columns().learners) counts.set(learner, (counts.get(learner) ?? 0) + 1);
      for (const count of counts.values()) expect(count).toBe(each);
    }),
    { numRuns: 40 },
  );
});

test("a hash of ids halves them fairly at each bit", () => {
  for (const bit of [1, 2, 4, 1024]) {
    const set = Array.from({ length: 4_000 }, (_, k) => hashOf(`learner-${k}`)).filter((hash) => (hash & bit) !== 0);
    expect(Math.abs(set.length - 2_000)).toBeLessThan(150);
  }
});
