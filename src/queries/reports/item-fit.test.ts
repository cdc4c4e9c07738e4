import { expect, test } from "vitest";
import { sigmoid } from "../../domain/learner-model/sigmoid.ts";
import { seededRandom, standardNormal } from "../../domain/random.ts";
import { addFit, type ItemFit, itemFit, newFitSums } from "./item-fit.ts";

test("by hand: predicted .8 and .5, right and wrong", () => {
  const sums = newFitSums();
  addFit(sums, 0.8, true);
  addFit(sums, 0.5, false);
  const fit = itemFit(sums);
  // Squared residuals .04 and .25, variances .16 and .25.
  expect(fit?.infit).toBeCloseTo(0.29 / 0.41, 10);
  expect(fit?.outfit).toBeCloseTo((0.04 / 0.16 + 0.25 / 0.25) / 2, 10);
  expect(fit?.bias).toBeCloseTo((1 - 1.3) / 2, 10);
  expect(fit?.biasZ).toBeCloseTo(-0.3 / Math.sqrt(0.41), 10);
});

test("no answers: nothing to say", () => {
  expect(itemFit(newFitSums())).toBeNull();
});

/** The fit of 200 answers to each of 300 items; `truth` makes a prediction into the real probability. */
function fits(truth: (p: number) => number): ItemFit[] {
  const random = seededRandom("fit");
  return Array.from({ length: 300 }, () => {
    const sums = newFitSums();
    for (let k = 0; k < 200; k++) {
      const p = sigmoid(standardNormal(random) + 0.5);
      addFit(sums, p, random() < truth(p));
    }
    return itemFit(sums) as ItemFit;
  });
}
const meanOf = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0) / list.length;
const sdOf = (list: readonly number[]): number => Math.sqrt(meanOf(list.map((each) => (each - meanOf(list)) ** 2)));

test("true predictions: mean squares about 1, and their z about standard normal", () => {
  const found = fits((p) => p);
  expect(meanOf(found.map(({ infit }) => infit))).toBeCloseTo(1, 1);
  expect(meanOf(found.map(({ outfit }) => outfit))).toBeCloseTo(1, 1);
  for (const z of [
    found.map(({ infitZ }) => infitZ),
    found.map(({ outfitZ }) => outfitZ),
    found.map(({ biasZ }) => biasZ),
  ]) {
    expect(Math.abs(meanOf(z))).toBeLessThan(0.25);
    expect(sdOf(z)).toBeGreaterThan(0.8);
    expect(sdOf(z)).toBeLessThan(1.2);
  }
});

test("answers that go against the predictions are found", () => {
  const found = fits((p) => 1 - p);
  expect(Math.min(...found.map(({ infitZ }) => infitZ))).toBeGreaterThan(3);
});

test("an item that is harder than predicted is found by its bias", () => {
  const found = fits((p) => Math.max(0, p - 0.2));
  expect(meanOf(found.map(({ bias }) => bias))).toBeCloseTo(-0.2, 1);
  expect(meanOf(found.map(({ biasZ }) => biasZ))).toBeLessThan(-4);
});
