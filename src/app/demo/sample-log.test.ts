import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { course } from "./course.ts";
import { sampleLogCsv, sampleLogOptions } from "./sample-log.ts";

const { skills, items } = course;

test("sample-log.csv is what make-sample-log.ts writes, to the byte", () => {
  const file = readFileSync(new URL("sample-log.csv", import.meta.url), "utf8");
  expect(sampleLogCsv(skills, items, sampleLogOptions) === file).toBe(true);
});

test("it is a class of 30 over four weeks, in order of time, that gets most but not all right", () => {
  const rows = sampleLogCsv(skills, items, sampleLogOptions)
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
  expect(rows.map((row) => Number(row[0]))).toEqual(rows.map((_, i) => i));
  expect(new Set(rows.map((row) => row[2])).size).toBe(30);
  const times = rows.map((row) => Number(row[5]) * 1000);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(Math.min(...times)).toBeGreaterThanOrEqual(sampleLogOptions.fromMs);
  expect(Math.max(...times)).toBeLessThan(sampleLogOptions.toMs);
  const correct = rows.filter((row) => row[6] === "1").length / rows.length;
  expect(correct).toBeGreaterThan(0.5);
  expect(correct).toBeLessThan(0.85);
});
