import { expect, test } from "vitest";
import { type Measurement, tableOf, verdictOf } from "./report.ts";

const measured: Measurement = {
  name: "next",
  unit: "requests/s",
  ours: { median: 26_543, min: 25_000, max: 27_000 },
  limit: { median: 31_234, min: 30_000, max: 32_000 },
  ratio: { median: 0.8501, min: 0.8, max: 0.9 },
  target: { atLeast: 0.8 },
};

test("the verdict is of the ratio where there is a limit, of the figure where there is none", () => {
  expect(verdictOf(measured)).toBe("met");
  expect(verdictOf({ ...measured, ratio: { median: 0.79, min: 0.7, max: 0.9 } })).toBe("missed");
  const latency = { ...measured, limit: null, ratio: null, target: { below: 250 } };
  expect(verdictOf({ ...latency, ours: { median: 250, min: 1, max: 300 } })).toBe("missed");
  expect(verdictOf({ ...latency, target: null })).toBe("");
});

test("the table says target and verdict beside what was measured", () => {
  expect(tableOf([measured]).split("\n").at(-1)).toBe(
    "| next | 26,500 (25,000..27,000) requests/s | 31,200 (30,000..32,000) requests/s | 0.85 (0.8..0.9) | >= 0.8 | met |  |",
  );
});
