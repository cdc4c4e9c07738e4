import { expect, test } from "vitest";
import { type LocustSummary, locustVerdicts } from "./read-locust.ts";

const figures = { count: 1_000, failed: 0, p50: 5, p95: 20, p99: 50, max: 90 };
const fine: LocustSummary = {
  ...{ version: "2.47.0", seconds: 10, beganAt: 0, all: figures, next: figures, requests: [] },
  checks: [{ name: "no retired item", passes: 50, fails: 0 }],
  ...{
    fresh: { yes: 100, no: 0 },
    readyMade: { yes: 9, no: 1 },
    sessions: {},
    accepted: 10,
    shed: 0,
    series: [],
    stats: [],
  },
};
const missed = (change: Partial<LocustSummary>) =>
  locustVerdicts({ ...fine, ...change }).flatMap(({ name, met }) => (met ? [] : [name]));

test("personas are judged by the limits of k6", () => {
  expect(missed({})).toEqual([]);
  expect(missed({ all: { ...figures, p95: 300 } })).toEqual(["p95 of all requests"]);
  expect(missed({ next: { ...figures, p95: 250 } })).toEqual(["p95 of next"]);
  expect(missed({ all: { ...figures, failed: 1 } })).toEqual(["requests that failed"]);
  expect(missed({ checks: [{ name: "no retired item", passes: 49, fails: 1 }] })).toEqual(["content of answers"]);
  expect(missed({ checks: [] })).toEqual(["content of answers"]);
  expect(missed({ fresh: { yes: 98, no: 2 } })).toEqual(["answers that include the answer"]);
});
