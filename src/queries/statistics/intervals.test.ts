import { describe, expect, test } from "vitest";
import { seededRandom, standardNormal } from "../../domain/random.ts";
import {
  bootstrapInterval,
  correlationInterval,
  meanInterval,
  meanOf,
  pairedDifference,
  quantileOf,
  wilsonInterval,
} from "./intervals.ts";

describe("mean", () => {
  test("with Student's t: ten values by hand (t(9) = 2.2622)", () => {
    const { estimate, low, high, n } = meanInterval([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(n).toBe(10);
    expect(estimate).toBe(5.5);
    expect(low).toBeCloseTo(5.5 - 2.2622 * (3.02765 / Math.sqrt(10)), 3);
    expect(high).toBeCloseTo(5.5 + 2.2622 * (3.02765 / Math.sqrt(10)), 3);
  });

  test("covers the truth as often as it says", () => {
    const random = seededRandom("coverage");
    let covered = 0;
    for (let k = 0; k < 2000; k++) {
      const { low, high } = meanInterval(Array.from({ length: 5 }, () => 3 + standardNormal(random)));
      if (low <= 3 && 3 <= high) covered += 1;
    }
    const share = wilsonInterval(covered, 2000, 0.999);
    expect(share.low).toBeLessThan(0.95);
    expect(share.high).toBeGreaterThan(0.95);
  });

  test("one value has no interval, none no mean, equal ones no width", () => {
    expect(meanInterval([4])).toEqual({ estimate: 4, low: Number.NaN, high: Number.NaN, n: 1 });
    expect(meanInterval([]).estimate).toBeNaN();
    expect(meanInterval([2, 2, 2])).toEqual({ estimate: 2, low: 2, high: 2, n: 3 });
  });

  test("pairs: what is common to both cancels", () => {
    const { estimate, low, high } = pairedDifference([101, 202, 303], [100, 200, 300]);
    expect(estimate).toBe(2);
    expect(high - low).toBeLessThan(6);
    expect(() => pairedDifference([1], [])).toThrow("cannot be paired");
  });
});

test("Wilson's interval: 8 of 10 (by R's prop.test, no correction), and none of 10", () => {
  const eight = wilsonInterval(8, 10);
  expect(eight.estimate).toBe(0.8);
  expect(eight.low).toBeCloseTo(0.4902, 4);
  expect(eight.high).toBeCloseTo(0.9433, 4);
  expect(wilsonInterval(0, 10).low).toBe(0);
  expect(wilsonInterval(0, 10).high).toBeCloseTo(0.2775, 4);
  expect(wilsonInterval(0, 0).estimate).toBeNaN();
});

test("Fisher's interval of a correlation: r = .5 of 28 pairs by hand, and none of three", () => {
  const { low, high } = correlationInterval(0.5, 28);
  expect(low).toBeCloseTo(Math.tanh(Math.atanh(0.5) - 1.959964 / 5), 6);
  expect(high).toBeCloseTo(Math.tanh(Math.atanh(0.5) + 1.959964 / 5), 6);
  expect(correlationInterval(0.5, 3).low).toBeNaN();
});

describe("bootstrap", () => {
  const random = seededRandom("sample");
  const sample = Array.from({ length: 200 }, () => standardNormal(random));

  test("of a mean is near Student's interval, and the same for the same random numbers", () => {
    const of = () => bootstrapInterval(sample, meanOf, { random: seededRandom("bootstrap") });
    const student = meanInterval(sample);
    expect(of()).toEqual(of());
    expect(of().estimate).toBe(student.estimate);
    expect(of().low).toBeCloseTo(student.low, 1);
    expect(of().high).toBeCloseTo(student.high, 1);
  });
});

test("quantiles lie between the values", () => {
  expect(quantileOf([1, 2, 3, 4], 0.5)).toBe(2.5);
  expect(quantileOf([7], 0.9)).toBe(7);
  expect(quantileOf([], 0.5)).toBeNaN();
});
