import { expect, test } from "vitest";
import type { Result } from "../runner/result.ts";
import { comparePage } from "./compare-page.ts";
import { compareText } from "./compare-text.ts";
import { reportPage } from "./page.ts";
import { committedResults, readDocument, tablesOf, withTables } from "./tables.ts";
import { verdictText } from "./text.ts";

const role = { cpu: 0.5, rssMb: 200, heapMb: 90, eventLoopP99Ms: 12, gcShare: 0.01 };
const point = { t: 1, perSecond: 300, errorRate: 0, dropped: 0, users: 4, p50: 2, p90: 5, p95: 8, p99: 20, max: 40 };
const sample = {
  ...{ t: 1, machineBusy: 0.7, roles: { all: role }, cpu: { all: 0.5, k6: 0.4 }, lagEvents: 3, lagSeconds: 0.1 },
  ...{
    pending: 0,
    hitRatio: 0.95,
    sources: { personal: 1 },
    acceptedPerSecond: 100,
    shedPerSecond: 0,
    redis: null,
    postgres: null,
  },
};

const machine = {
  ...{ cores: 2, cpu: "a <fast> one", memory_gb: 8, system: "Linux", node: "v24", postgres: "15", redis: "7" },
  ...{ load_average: 0.1, commit: "0123456789abcdef", dirty: true },
};

const result: Result = {
  machine,
  ...{ version: 1, tool: "k6", scenario: "baseline", title: "Baseline", what: "an ordinary hour", seconds: 90 },
  ...{ startedAt: "2026-11-28T05:41:00.000Z", command: "load-tests/run.sh baseline" },
  ...{ target: "npm run up, small", tool_version: "2.2.0" },
  load: { users: 1_000, seconds: 90 },
  verdicts: [
    { name: "p95 of next", limit: "< 250 ms", value: "8.1 ms", met: true },
    { name: "requests that failed", limit: "< 0.1 %", value: "0.200 %", met: false },
  ],
  totals: {
    ...{ requests: 27_000, perSecond: 300, failed: 54, errorRate: 0.002, p50: 2, p95: 8, p99: 20, max: 40 },
    ...{ nextP50: 1, nextP95: 8.1, nextP99: 12, steps: 9_000, dropped: 3, shed: 0, accepted: 9_000, readyMade: 0.9 },
    ...{ hitRatio: 0.95, lagSecondsMax: 0.2, drainSeconds: 0.1 },
  },
  requests: [{ name: "next", count: 9_000, failed: 54, p50: 1, p95: 8.1, p99: 12, max: 40 }],
  checks: [{ name: "no retired item", passes: 9_000, fails: 0 }],
  levels: [],
  connections: null,
  series: [1, 2, 3].map((t) => ({ ...point, t, nextP50: 1, nextP95: 8, nextP99: 12 })),
  samples: [1, 2, 3].map((t) => ({ ...sample, t })),
  raw: null,
};

test("the report says each verdict, figure and plot, and needs nothing from elsewhere", () => {
  const page = reportPage(result);
  for (const said of [
    "requests that failed",
    "missed",
    "no retired item",
    "95 %",
    "0123456789 and changes",
    "a &lt;fast&gt; one",
  ]) {
    expect(page).toContain(said);
  }
  expect(page.match(/<svg /g)?.length).toBeGreaterThan(10);
  expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:\/\/|<script|<link|src=|@import/);
});

test("a run of which little is known has a report all the same", () => {
  const poor = { ...result, series: [], samples: [], checks: [], requests: [] };
  expect(reportPage(poor)).toContain("No answer was looked at");
  expect(verdictText(poor)).toContain("MISSED");
});

test("a comparison says what differs besides what was measured", () => {
  const slower = { ...result, totals: { ...result.totals, p95: 90 }, machine: { ...result.machine, cores: 8 } };
  const text = compareText(result, slower);
  expect(text).toMatch(/p95 of all +8 ms +90 ms/);
  expect(text).toContain("cores: 2 and 8");
  expect(compareText(result, result)).not.toContain("differ");
  const page = comparePage(result, slower);
  expect(page).toContain("cores: 2 and 8");
  expect(page).toContain("A: p95");
  expect(page).toContain("B: p95");
});

test("docs/load-tests.md has the tables of the results that are committed, and no others", async () => {
  const text = await readDocument();
  expect(withTables(text, tablesOf(await committedResults()))).toBe(text);
});

test("the table links to the file, and names what was missed", () => {
  const table = tablesOf([{ file: "baseline-2026-11-28T0541.json", result }]);
  expect(table).toContain("| [baseline](../load-tests/results/baseline-2026-11-28T0541.json) | 1,000 | 300 |");
  expect(table).toContain("missed: requests that failed");
  expect(table).toContain("`load-tests/run.sh baseline`");
});
