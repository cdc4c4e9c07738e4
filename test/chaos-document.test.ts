import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keptRun, withQuote } from "./chaos/document.ts";
import { experiments } from "./chaos/experiments/all.ts";
import { availability, availabilityWanted, broken } from "./chaos/result.ts";

const kept = keptRun();

test("docs/chaos.md says what the kept run says; after another one: npm run chaos -- --quote", () => {
  const text = readFileSync(join(import.meta.dirname, "../docs/chaos.md"), "utf8");
  expect(text).toBe(withQuote(text, kept));
});

test.skipIf(kept === null)("each round of the kept run has all experiments; nothing is lost, the objective met", () => {
  const rounds = Map.groupBy(kept?.experiments ?? [], ({ seed }) => seed);
  expect(rounds.size).toBeGreaterThan(0);
  for (const round of rounds.values()) {
    expect(round.map(({ name }) => name)).toEqual(experiments.map(({ name }) => name));
  }
  expect(kept?.skipped).toEqual([]);
  expect(kept?.experiments.flatMap(broken)).toEqual([]);
  expect(availability(kept?.experiments ?? [], "failed")).toBeGreaterThanOrEqual(availabilityWanted);
});
