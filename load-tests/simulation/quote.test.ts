import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { document, readRun, savedFile, withTables } from "./quote.ts";

const text = readFileSync(document, "utf8");

test("docs/simulation.md says what the saved run says; if not: node load-tests/simulation/quote.ts", () => {
  expect(withTables(text, readRun(savedFile))).toBe(text);
});

test("another figure would be noticed, and a document without a place for figures is refused", () => {
  const run = readRun(savedFile);
  const outcomes = run.outcomes.map((each) => ({
    ...each,
    measures: { ...each.measures, trueAtEnd: { estimate: 0.5, low: 0.4, high: 0.6 } },
  }));
  expect(withTables(text, { ...run, outcomes })).not.toBe(text);
  expect(() => withTables("text", run)).toThrow("no place for figures");
});

test("the saved run: Proximal is worse than no baseline, clearly better than chance and the popular, and seldom false", () => {
  const { outcomes, comparisons, placement } = readRun(savedFile);
  expect(comparisons.length).toBeGreaterThan(0);
  expect(comparisons.filter(({ verdict }) => verdict === "worse")).toEqual([]);
  for (const { baseline, measure, verdict } of comparisons) {
    if ((baseline === "random" || baseline === "popular") && measure !== "falseAtEnd") expect(verdict).toBe("better");
  }
  for (const { policy, generator, measures } of outcomes) {
    if (policy !== "proximal") continue;
    expect(measures.falseAtEnd?.estimate ?? 1, generator).toBeLessThanOrEqual(generator === "irt" ? 0.1 : 0.05);
  }
  expect(placement.find(({ policy }) => policy === "proximal")?.length.estimate).toBeLessThan(1.1);
});
