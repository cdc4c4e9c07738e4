import { describe, expect, test } from "vitest";
import { seededRandom } from "../random.ts";
import { guessOf, newGuessing, observeGuess } from "./guessing.ts";
import { masteryDefaults } from "./mastery.ts";

/** Of a learner who is right at `rate` where the skill is held to be mastered with probability `mastery`. */
function guessAfter(answers: number, rate: number, mastery: number): number {
  const guessing = newGuessing();
  const random = seededRandom(`${rate}`);
  for (let n = 0; n < answers; n++) observeGuess(guessing, mastery, random() < rate);
  return guessOf(guessing);
}

describe("a learner's guessing", () => {
  test("is the default at first, and never below it", () => {
    expect(guessOf(newGuessing())).toBe(masteryDefaults.guess);
    expect(guessAfter(200, 0.02, 0.1)).toBe(masteryDefaults.guess);
  });

  test("comes to the rate of right answers without mastery: what mastery accounts for is taken off", () => {
    const { slip } = masteryDefaults;
    const mixture = 0.3 * (1 - slip) + 0.7 * 0.45;
    expect(guessAfter(3000, mixture, 0.3)).toBeCloseTo(0.45, 1);
    expect(guessAfter(3000, 0.95, 0.1)).toBe(0.6);
  });

  test("is not told by answers to what is about mastered", () => {
    expect(guessAfter(100, 1, 0.5)).toBe(masteryDefaults.guess);
  });
});
