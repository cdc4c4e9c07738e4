import fc from "fast-check";
import { expect, test } from "vitest";
import { addOutcome, noOutcomes, outcomesIn, patternsOf, winsIn } from "./outcome-pattern.ts";

test("a pattern holds the last outcomes, how many they are and how many are right", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean()), fc.integer({ min: 1, max: 8 }), (outcomes, length) => {
      const pattern = outcomes.reduce((before, correct) => addOutcome(before, correct, length), noOutcomes);
      const last = outcomes.slice(-length);
      expect(pattern.toString(2)).toBe(`1${last.map((correct) => (correct ? "1" : "0")).join("")}`);
      expect(outcomesIn(pattern)).toBe(last.length);
      expect(winsIn(pattern)).toBe(last.filter(Boolean).length);
      expect(pattern).toBeLessThan(patternsOf(length));
    }),
  );
});
