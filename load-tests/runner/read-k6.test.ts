import { describe, expect, test } from "vitest";
import { levelName, levelsOf, profiles, scenarioNames, thresholdsOf } from "../k6/profiles.ts";
import {
  type K6Summary,
  kneeOf,
  levelsFound,
  parseRecord,
  parseSummary,
  requestsOf,
  seriesOf,
  verdictsOf,
} from "./read-k6.ts";

// As k6 2.2.0 wrote it, shortened.
const record = [
  '{"event":"param","data":{"period":1000}}',
  '{"event":"metric","data":{"time":{"type":"gauge","contains":"time"}}}',
  '{"event":"start","data":[[1795843325000]]}',
  '{"event":"metric","data":{"dropped_iterations":{"type":"counter"},"http_req_duration":{"type":"trend"},"http_req_duration{name:next}":{"type":"trend"},"http_req_failed":{"type":"rate"},"http_req_failed{name:next}":{"type":"rate"},"http_reqs":{"type":"counter"},"http_reqs{name:next}":{"type":"counter"}}}',
  '{"event":"snapshot","data":[[1,1],[17,81,13,2,25,42,73],[7,8,6,1,7,7.5,7.9],[0.25],[0],[18,18],[9,9],[1795843326000]]}',
  '{"event":"metric","data":{"vus":{"type":"gauge"}}}',
  '{"event":"snapshot","data":[[],[8,20,6,1,16,17,19],[],[0],[0],[20,20],[],[1795843327000],[3]]}',
  '{"event":"cumulative","data":[[1,0.5],[12,81,9,1,25,40,70],[7,8,6,1,7,7.5,7.9],[0.1],[0.2],[38,19],[10,5],[1795843327000],[3]]}',
].join("\n");

test("the record is read second by second, and by name of the request", () => {
  const read = parseRecord(record);
  expect(seriesOf(read)).toEqual([
    {
      ...{ t: 1, perSecond: 18, errorRate: 0.25, dropped: 1, users: null },
      ...{ p50: 13, p90: 25, p95: 42, p99: 73, max: 81, nextP50: 6, nextP95: 7.5, nextP99: 7.9 },
    },
    {
      ...{ t: 2, perSecond: 20, errorRate: 0, dropped: 0, users: 3 },
      ...{ p50: 6, p90: 16, p95: 17, p99: 19, max: 20, nextP50: null, nextP95: null, nextP99: null },
    },
  ]);
  expect(requestsOf(read)).toEqual([{ name: "next", count: 10, failed: 2, p50: 6, p95: 7.5, p99: 7.9, max: 8 }]);
});

type Metrics = Record<string, { values: Record<string, number>; ok?: boolean }>;

function summaryOf(metrics: Metrics, checks = [{ name: "no retired item", passes: 10, fails: 0 }]): K6Summary {
  const all = Object.entries(metrics).map(([name, { values, ok }]) => [
    name,
    { type: "any", values, ...(ok === undefined ? {} : { thresholds: { limit: { ok } } }) },
  ]);
  return parseSummary(
    JSON.stringify({ root_group: { checks }, state: { testRunDurationMs: 1000 }, metrics: Object.fromEntries(all) }),
  );
}

const fine: Metrics = {
  http_req_duration: { values: { "p(95)": 20 }, ok: true },
  "http_req_duration{name:next}": { values: { "p(95)": 10 }, ok: true },
  http_req_failed: { values: { rate: 0 }, ok: true },
  fresh_answers: { values: { rate: 1 }, ok: true },
  iterations: { values: { count: 99 } },
};
const load = profiles.baseline.usual;
const missed = (metrics: Metrics, checks?: { name: string; passes: number; fails: number }[]) =>
  verdictsOf("baseline", load, summaryOf({ ...fine, ...metrics }, checks)).flatMap(({ name, met }) =>
    met ? [] : [name],
  );

test("verdicts are k6's own, and those that it cannot give", () => {
  expect(missed({})).toEqual([]);
  expect(missed({ http_req_duration: { values: { "p(95)": 301 }, ok: false } })).toEqual(["p95 of all requests"]);
  expect(missed({ http_req_failed: { values: { rate: 0.002 }, ok: false } })).toEqual(["requests that failed"]);
  expect(missed({ content_violations: { values: { count: 1 }, ok: false } })).toEqual(["content of answers"]);
});

test("a test that looked at nothing, or left out what it should have done, is not met", () => {
  expect(missed({}, [])).toEqual(["content of answers"]);
  expect(missed({ dropped_iterations: { values: { count: 2 } } })).toEqual(["steps left out"]);
  expect(verdictsOf("baseline", load, summaryOf({})).filter(({ met }) => met)).toEqual([
    expect.objectContaining({ name: "content of answers" }),
    expect.objectContaining({ name: "steps left out" }),
  ]);
});

describe("levels of the stress test", () => {
  const usual = { users: 1_000, seconds: 60 };
  const level = (users: number, p95: number): Metrics => ({
    [`iterations{scenario:${levelName(users)}}`]: { values: { count: 100 } },
    [`http_reqs{scenario:${levelName(users)}}`]: { values: { count: 300 } },
    [`http_req_duration{scenario:${levelName(users)}}`]: { values: { "p(95)": p95, "p(99)": 2 * p95 } },
    [`http_req_duration{scenario:${levelName(users)},name:next}`]: { values: { "p(95)": p95 / 2 } },
    [`http_req_failed{scenario:${levelName(users)}}`]: { values: { rate: 0 } },
  });

  test("the knee is the last level before the first that missed the limits", () => {
    const levels = levelsFound(
      usual,
      summaryOf({ ...level(100, 10), ...level(200, 20), ...level(400, 400), ...level(600, 5) }),
    );
    expect(levels.map(({ users, met }) => [users, met])).toEqual([
      [100, true],
      [200, true],
      [400, false],
      [600, true],
    ]);
    expect(levels[0]).toMatchObject({ stepsPerSecond: 10, requestsPerSecond: 30, p95: 10, nextP95: 5, dropped: 0 });
    expect(kneeOf(levels)?.users).toBe(200);
    expect(kneeOf(levels.slice(2))).toBeNull();
  });

  test("each level has its thresholds, one after the other in time", () => {
    expect(levelsOf(usual).map(({ users, from, seconds }) => [users, from, seconds])).toEqual([
      ...[
        [100, 0, 10],
        [200, 10, 10],
        [400, 20, 10],
        [600, 30, 10],
        [800, 40, 10],
        [1_000, 50, 10],
      ],
    ]);
    const named = Object.keys(thresholdsOf("stress", usual)).filter((name) => name.startsWith("dropped_iterations"));
    expect(named).toEqual(
      Object.keys(profiles.stress.executors(usual)).map((name) => `dropped_iterations{scenario:${name}}`),
    );
  });
});

test.each(scenarioNames)("%s puts on what its users ask, with slots enough, and ends in time", (name) => {
  const { usual, executors } = profiles[name];
  for (const one of Object.values(executors(usual))) {
    const most = Math.max(one.rate ?? 0, one.startRate ?? 0, ...(one.stages ?? []).map(({ target }) => target));
    expect(one.maxVUs).toBeGreaterThanOrEqual(Math.min(1_000, most));
    const parts = one.stages?.map(({ duration }) => duration) ?? [one.duration ?? ""];
    const seconds = parts.reduce((sum, part) => sum + Number.parseInt(part, 10), 0);
    expect(seconds + Number.parseInt(one.startTime ?? "0", 10)).toBeLessThanOrEqual(usual.seconds);
  }
});
