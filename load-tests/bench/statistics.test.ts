import { expect, test } from "vitest";
import { median, quantile, spreadOf } from "./statistics.ts";

test("median of an odd and an even number of values", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

test("quantiles are values that were measured (nearest rank)", () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(quantile(values, 0.5)).toBe(50);
  expect(quantile(values, 0.99)).toBe(99);
  expect(quantile(values, 1)).toBe(100);
  expect(quantile([7], 0.01)).toBe(7);
});

test("spread", () => {
  expect(spreadOf([2, 9, 4])).toEqual({ median: 4, min: 2, max: 9 });
});
