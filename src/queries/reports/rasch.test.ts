import { expect, test } from "vitest";
import { sigmoid } from "../../domain/learner-model/sigmoid.ts";
import { seededRandom, standardNormal } from "../../domain/random.ts";
import { fitRasch, type ResponseRows } from "./rasch.ts";

const itemCount = 60;
const learnerCount = 1500;
/** Items 0 and 1 are turned round: the better, the likelier wrong. Item 2 is a coin. */
const slopes = Array.from({ length: itemCount }, (_, k) => (k < 2 ? -1 : k === 2 ? 0 : 1));
const difficulties = Array.from({ length: itemCount }, (_, k) => (k < 3 ? 0 : -2 + (4 * k) / itemCount));

/** Each learner is given items near their own level: so facility alone calls all items alike. */
function adaptiveAnswers(): ResponseRows {
  const random = seededRandom("rasch");
  const rows = { learners: [] as number[], items: [] as number[], correct: [] as number[] };
  for (let learner = 0; learner < learnerCount; learner++) {
    const level = 1.2 * standardNormal(random);
    for (let item = 0; item < itemCount; item++) {
      const difficulty = difficulties[item] ?? 0;
      if (item > 2 && (Math.abs(difficulty - level) > 1.2 || random() < 0.3)) continue;
      rows.learners.push(learner);
      rows.items.push(item);
      rows.correct.push(random() < sigmoid((slopes[item] ?? 1) * (level - difficulty)) ? 1 : 0);
    }
  }
  return {
    learners: Uint32Array.from(rows.learners),
    items: Uint32Array.from(rows.items),
    correct: Uint8Array.from(rows.correct),
  };
}

const rows = adaptiveAnswers();
const { items, rounds } = fitRasch(rows, itemCount, learnerCount);
const sound = [...items.keys()].slice(3);

test("observed difficulty follows the true one, though learners were given what suits them", () => {
  expect(
    correlationOf(
      sound.map((k) => items[k]?.difficulty ?? 0),
      sound.map((k) => difficulties[k] ?? 0),
    ),
  ).toBeGreaterThan(0.97);
  const facility = sound.map((k) => {
    const mine = [...rows.items.keys()].filter((row) => rows.items[row] === k);
    return mine.filter((row) => rows.correct[row] === 1).length / mine.length;
  });
  // A plain share of right answers says less: learners were given what suits them.
  const naive = -correlationOf(
    facility,
    sound.map((k) => difficulties[k] ?? 0),
  );
  const observed = correlationOf(
    sound.map((k) => items[k]?.difficulty ?? 0),
    sound.map((k) => difficulties[k] ?? 0),
  );
  expect(1 - observed).toBeLessThan((1 - naive) / 2);
  expect(rounds).toBeLessThan(200);
});

test("discrimination: below zero for items turned round, about zero for a coin, above for the others", () => {
  for (const k of [0, 1]) expect(items[k]?.discrimination).toBeLessThan(-0.25);
  expect(Math.abs(items[2]?.discrimination ?? 1)).toBeLessThan(0.1);
  const others = sound.map((k) => items[k]?.discrimination ?? 0);
  expect(others.reduce((sum, each) => sum + each, 0) / others.length).toBeGreaterThan(0.1);
});

test("the item's own answer is not in the level it is held against: of coins alone none discriminates", () => {
  const random = seededRandom("coins");
  const count = 300 * 8;
  const coins = {
    learners: Uint32Array.from({ length: count }, (_, row) => Math.floor(row / 8)),
    items: Uint32Array.from({ length: count }, (_, row) => row % 8),
    correct: Uint8Array.from({ length: count }, () => (random() < 0.5 ? 1 : 0)),
  };
  const found = fitRasch(coins, 8, 300).items.map(({ discrimination }) => discrimination ?? 1);
  expect(Math.abs(found.reduce((sum, each) => sum + each, 0) / 8)).toBeLessThan(0.06);
});

test("an item that all answer alike has a finite difficulty and no discrimination", () => {
  const all = { learners: Uint32Array.of(0, 1, 2), items: Uint32Array.of(0, 0, 0), correct: Uint8Array.of(1, 1, 1) };
  const [item] = fitRasch(all, 1, 3).items;
  expect(item?.difficulty).toBeLessThan(0);
  expect(item?.difficulty).toBeGreaterThan(-5);
  expect(item?.discrimination).toBeNull();
});

function correlationOf(a: readonly number[], b: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0) / list.length;
  const [ma, mb] = [mean(a), mean(b)];
  const sum = (of: (k: number) => number): number => a.reduce((total, _, k) => total + of(k), 0);
  const at = (list: readonly number[], k: number, m: number): number => (list[k] ?? 0) - m;
  return (
    sum((k) => at(a, k, ma) * at(b, k, mb)) / Math.sqrt(sum((k) => at(a, k, ma) ** 2) * sum((k) => at(b, k, mb) ** 2))
  );
}
