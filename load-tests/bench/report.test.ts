import { expect, test } from "vitest";
import { tableOf } from "./report.ts";
import { type CaseResult, ratiosOf, verdictOf } from "./result.ts";

const measured: CaseResult = {
  name: "next",
  title: "next item",
  limit: "bare route",
  unit: "requests/s",
  better: "higher",
  target: { ratio: 0.8, by: "figure" },
  seconds: 3,
  parameters: {},
  rounds: [
    { ours: { figure: 26_543, cpuUs: 40 }, limit: { figure: 31_234, cpuUs: 30 } },
    { ours: { figure: 25_000, cpuUs: 40 }, limit: { figure: 30_000, cpuUs: 36 } },
    { ours: { figure: 27_000, cpuUs: 50 }, limit: { figure: 31_500, cpuUs: 30 } },
  ],
};

test("ratios are of rounds measured one after the other, and less is worse", () => {
  expect(ratiosOf(measured, "figure").map((ratio) => ratio.toFixed(3))).toEqual(["0.850", "0.833", "0.857"]);
  expect(ratiosOf(measured, "cpu")).toEqual([0.75, 0.9, 0.6]);
  const latency = { ...measured, better: "lower" } as const;
  expect(ratiosOf(latency, "figure")[1]).toBeCloseTo(1.2);
  expect(ratiosOf({ ...measured, rounds: [{ ours: { figure: 1, cpuUs: null }, limit: null }] }, "cpu")).toEqual([]);
});

test("the verdict is of what the target names", () => {
  expect(verdictOf(measured)).toBe("met");
  expect(verdictOf({ ...measured, target: { ratio: 0.8, by: "cpu" } })).toBe("missed");
  expect(verdictOf({ ...measured, target: { below: 26_543 } })).toBe("missed");
  expect(verdictOf({ ...measured, target: { atLeast: 26_543 } })).toBe("met");
  expect(verdictOf({ ...measured, target: null })).toBe("");
  const withoutCpu = measured.rounds.map(({ ours, limit }) => ({ ours: { ...ours, cpuUs: null }, limit }));
  expect(verdictOf({ ...measured, rounds: withoutCpu, target: { ratio: 0.1, by: "cpu" } })).toBe("missed");
});

test("the table says target and verdict beside what was measured", () => {
  expect(tableOf([measured]).split("\n").at(-1)).toBe(
    "| next item | 26,500 (25,000..27,000) requests/s | bare route: 31,200 (30,000..31,500) | 0.85 (0.833..0.857) " +
      "| 40 (40..50) | 0.75 (0.6..0.9) | >= 0.8 | met |  |",
  );
});
