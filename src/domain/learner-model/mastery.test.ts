import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import { type Mastery, masteryDefaults, newMastery, observeMastery } from "./mastery.ts";
import { readMasteries, writeMasteries } from "./mastery-bytes.ts";

const evidence = fc.tuple(fc.boolean(), fc.double({ min: 0.001, max: 0.999, noNaN: true }));
const fold = (answers: readonly (readonly [boolean, number])[]): Mastery =>
  answers.reduce((mastery, [correct, p]) => observeMastery(mastery, { correct, p }), newMastery());

describe("mastery", () => {
  test("by hand: prior .2, one correct answer", () => {
    const { prior, guess, slip, learn } = masteryDefaults;
    const posterior = (prior * (1 - slip)) / (prior * (1 - slip) + (1 - prior) * guess);
    expect(observeMastery(newMastery(), { correct: true, p: 0.5 }).p).toBeCloseTo(
      posterior + (1 - posterior) * learn,
      6,
    );
    expect(newMastery()).toMatchObject({ p: 0.2, n: 0 });
  });

  test("three correct answers in a row reach the threshold of .95, two do not", () => {
    expect(
      fold([
        [true, 0.5],
        [true, 0.5],
      ]).p,
    ).toBeLessThan(0.95);
    expect(
      fold([
        [true, 0.5],
        [true, 0.5],
        [true, 0.5],
      ]).p,
    ).toBeGreaterThan(0.95);
  });

  test("p stays a probability that an answer can still move, and sd one that a probability can have", () => {
    fc.assert(
      fc.property(fc.array(evidence, { maxLength: 200 }), (answers) => {
        const { p, sd, n } = fold(answers);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThan(1);
        expect(sd).toBeGreaterThan(0);
        expect(sd).toBeLessThan(Math.sqrt(p * (1 - p)));
        expect(n).toBe(answers.length);
      }),
    );
  });

  test("recovers: after a thousand answers of one kind a few of the other turn it", () => {
    const run = (correct: boolean, n: number) => Array.from({ length: n }, () => [correct, 0.5] as const);
    expect(fold([...run(true, 1000), ...run(false, 8)]).p).toBeLessThan(0.5);
    expect(fold([...run(false, 1000), ...run(true, 8)]).p).toBeGreaterThan(0.5);
  });

  test("a correct answer never leaves it lower than a wrong one would", () => {
    fc.assert(
      fc.property(fc.array(evidence, { maxLength: 30 }), (answers) => {
        const before = fold(answers);
        expect(observeMastery(before, { correct: true, p: 0.5 }).p).toBeGreaterThan(
          observeMastery(before, { correct: false, p: 0.5 }).p,
        );
      }),
    );
  });

  test("an open question tells more than a foregone one", () => {
    const before = newMastery();
    expect(observeMastery(before, { correct: true, p: 0.5 }).sd).toBeLessThan(
      observeMastery(before, { correct: true, p: 0.99 }).sd,
    );
  });

  test("what is written and read back has the same future, to the last bit", () => {
    fc.assert(
      fc.property(fc.array(evidence, { maxLength: 30 }), fc.array(evidence, { maxLength: 30 }), (first, later) => {
        const kept = fold(first);
        const writer = new ByteWriter(1);
        const attempts = later.length;
        writeMasteries([kept], () => ({ attempts, wins: 0 }), writer);
        const reader = new ByteReader(writer.finish(), "mastery");
        const [read] = readMasteries(reader, 1, () => ({ attempts, wins: 0 })) as [Mastery];
        reader.end();
        expect(read).toEqual(kept);
        const on = (start: Mastery) => later.reduce((m, [correct, p]) => observeMastery(m, { correct, p }), start);
        expect(on(read)).toEqual(on(kept));
      }),
    );
  });
});

describe("what an answer proves", () => {
  const masteryAfter = (evidence: { correct: boolean; difficulty?: number; guess?: number }) =>
    observeMastery(newMastery(), { p: 0.5, ...evidence }).p;

  test("a right answer proves more the harder the item, a wrong one less", () => {
    for (const correct of [true, false]) {
      const easyToHard = [-2, -1, 0, 1, 2].map((difficulty) => masteryAfter({ correct, difficulty }));
      expect(easyToHard).toEqual(easyToHard.toSorted((a, b) => a - b));
    }
    expect(masteryAfter({ correct: true, difficulty: 0 })).toBe(masteryAfter({ correct: true }));
    expect(masteryAfter({ correct: true, difficulty: 3 })).toBe(masteryAfter({ correct: true, difficulty: 9 }));
  });

  test("what the learner model expects of the skill raises mastery above .8 and lowers it below; tracing goes on without it", () => {
    const expecting = (expected: number) => observeMastery(newMastery(), { correct: true, p: 0.5, expected });
    const plain = observeMastery(newMastery(), { correct: true, p: 0.5 });
    expect(plain.p).toBe(plain.traced);
    expect(expecting(0.8)).toEqual(plain);
    const rising = [0, 0.1, 0.5, 0.8, 0.9, 1].map((expected) => expecting(expected));
    expect(rising.map(({ p }) => p)).toEqual(rising.map(({ p }) => p).toSorted((a, b) => a - b));
    expect(rising[0]?.p).toBeLessThan(plain.p / 10);
    for (const each of rising) {
      expect(each.traced).toBe(plain.traced);
      expect(each.p > 0 && each.p < 1).toBe(true);
    }
    // By hand: odds of tracing x odds of .9 / odds of .8.
    const odds = (p: number) => p / (1 - p);
    expect(odds(expecting(0.9).p)).toBeCloseTo((odds(plain.traced) * odds(0.9)) / odds(0.8), 3);
  });

  test("a right answer proves less of one who is often right without mastery", () => {
    expect(masteryAfter({ correct: true, guess: 0.5 })).toBeLessThan(masteryAfter({ correct: true }));
  });
});
