import { describe, expect, test } from "vitest";
import { sigmoid } from "../../domain/learner-model/sigmoid.ts";
import { type Random, seededRandom, standardNormal } from "../../domain/random.ts";
import { fitAfm, type PracticeRows } from "./afm.ts";

interface Truth {
  readonly intercepts: readonly number[];
  readonly slopes: readonly number[];
}

/** Answers drawn from the model itself; `stops` says after how many right ones in a row a learner leaves a skill. */
function draw(truth: Truth, learners: number, random: Random, stops = Number.POSITIVE_INFINITY): PracticeRows {
  const rows = { learners: [] as number[], skills: [] as number[], before: [] as number[], correct: [] as number[] };
  for (let learner = 0; learner < learners; learner++) {
    const level = standardNormal(random);
    for (const [skill, intercept] of truth.intercepts.entries()) {
      for (let before = 0, run = 0; before < 12 && run < stops; before++) {
        const correct = random() < sigmoid(level + intercept + (truth.slopes[skill] ?? 0) * before);
        rows.learners.push(learner);
        rows.skills.push(skill);
        rows.before.push(before);
        rows.correct.push(correct ? 1 : 0);
        run = correct ? run + 1 : 0;
      }
    }
  }
  return {
    learners: Uint32Array.from(rows.learners),
    skills: Uint32Array.from(rows.skills),
    before: Uint32Array.from(rows.before),
    correct: Uint8Array.from(rows.correct),
    practice: Float64Array.from({ length: 50 }, (_, k) => k),
  };
}

describe("on answers drawn from the model", () => {
  const truth: Truth = { intercepts: [-1, 0, 0.5, -0.5, 0.2], slopes: [0.3, 0, 0.1, 0.2, 0.05] };
  const rows = draw(truth, 400, seededRandom("afm"));
  const { skills, levels, rounds } = fitAfm(rows, 5, 400);

  test("it finds the slopes, within the error that it states", () => {
    for (const [k, { slope, slopeError, intercept }] of skills.entries()) {
      expect(Math.abs(slope - (truth.slopes[k] ?? 0))).toBeLessThan(3 * slopeError);
      expect(Math.abs(intercept - (truth.intercepts[k] ?? 0))).toBeLessThan(0.35);
      expect(slopeError).toBeLessThan(0.02);
    }
    expect(rounds).toBeLessThan(100);
  });

  test("levels are centred, and spread about as drawn", () => {
    const mean = levels.reduce((sum, each) => sum + each, 0) / levels.length;
    const sd = Math.sqrt(levels.reduce((sum, each) => sum + (each - mean) ** 2, 0) / levels.length);
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(sd).toBeGreaterThan(0.8);
    expect(sd).toBeLessThan(1.1);
  });
});

test("where the able leave early it still sees the learning that the plain average hides", () => {
  const truth: Truth = { intercepts: [-0.5, -0.5, -0.5, -0.5], slopes: [0.08, 0.08, 0.08, 0.08] };
  const rows = draw(truth, 800, seededRandom("attrition"), 2);
  const errorAt = (opportunity: number): number => {
    const there = [...rows.before.keys()].filter((row) => rows.before[row] === opportunity);
    return there.filter((row) => rows.correct[row] === 0).length / there.length;
  };
  // The average of those who are left gets worse with practice.
  expect(errorAt(8)).toBeGreaterThan(errorAt(0));
  const { skills } = fitAfm(rows, 4, 800);
  for (const { slope } of skills) {
    expect(slope).toBeGreaterThan(0.03);
    expect(slope).toBeLessThan(0.16);
  }
});

test("of the two forms of practice, the one that answers were drawn from is likelier", () => {
  const practice = Float64Array.from({ length: 50 }, (_, k) => Math.log(1 + k));
  const random = seededRandom("form");
  const drawn = draw({ intercepts: [-1], slopes: [0] }, 600, random);
  const correct = drawn.correct.map((_, row) =>
    random() < sigmoid(-1.5 + 1.2 * (practice[drawn.before[row] ?? 0] ?? 0)) ? 1 : 0,
  );
  const power = fitAfm({ ...drawn, correct, practice }, 1, 600).skills[0]?.logLikelihood ?? 0;
  const exponential = fitAfm({ ...drawn, correct }, 1, 600).skills[0]?.logLikelihood ?? 0;
  expect(power).toBeGreaterThan(exponential);
});

test("all right, one answer, and no answers stay finite", () => {
  const one = (correct: number): PracticeRows => ({
    learners: Uint32Array.of(0),
    skills: Uint32Array.of(0),
    before: Uint32Array.of(0),
    correct: Uint8Array.of(correct),
    practice: Float64Array.of(0),
  });
  for (const rows of [one(1), one(0)]) {
    const [skill] = fitAfm(rows, 1, 1).skills;
    expect(Number.isFinite(skill?.intercept)).toBe(true);
    expect(skill?.slope).toBe(0);
  }
  const none = {
    learners: new Uint32Array(),
    skills: new Uint32Array(),
    before: new Uint32Array(),
    correct: new Uint8Array(),
    practice: new Float64Array(),
  };
  expect(fitAfm(none, 0, 0).skills).toEqual([]);
});
