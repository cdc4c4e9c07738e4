import { z } from "zod";
import { durationOf, type Load, levelName, levelsOf, limits, type ScenarioName, thinkSeconds } from "../k6/profiles.ts";
import type { ClientPoint, Level, Result, Verdict } from "./result.ts";

/** What k6 found, from its summary and from the record that its dashboard keeps second by second. */

const metricSchema = z.object({
  type: z.string(),
  values: z.record(z.string(), z.number()),
  thresholds: z.record(z.string(), z.object({ ok: z.boolean() })).optional(),
});

const summarySchema = z.object({
  root_group: z.object({
    checks: z.array(z.object({ name: z.string(), passes: z.number(), fails: z.number() })),
  }),
  state: z.object({ testRunDurationMs: z.number() }),
  metrics: z.record(z.string(), metricSchema),
});

export type K6Summary = z.infer<typeof summarySchema>;

export const parseSummary = (text: string): K6Summary => summarySchema.parse(JSON.parse(text));

const lineSchema = z.object({ event: z.string(), data: z.unknown() });
const rowSchema = z.array(z.array(z.number()));

/** The numbers of each kind of metric, in the order in which the record has them. */
const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  counter: ["count", "rate"],
  gauge: ["value"],
  rate: ["rate"],
  trend: ["avg", "max", "med", "min", "p(90)", "p(95)", "p(99)"],
};

type Row = ReadonlyMap<string, Readonly<Record<string, number>>>;

export interface K6Record {
  readonly startedAt: number;
  /** Of each second. */
  readonly snapshots: readonly Row[];
  /** Of the whole run. */
  readonly whole: Row;
}

/** A line of the record names metrics that are new; a row has the values of all known so far, by name in order. */
export function parseRecord(text: string): K6Record {
  const types = new Map<string, string>();
  const snapshots: Row[] = [];
  let startedAt = 0;
  let whole: Row = new Map();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const { event, data } = lineSchema.parse(JSON.parse(line));
    if (event === "metric") {
      const found = z.record(z.string(), z.object({ type: z.string() })).parse(data);
      for (const [name, { type }] of Object.entries(found)) types.set(name, type);
    } else if (event === "start") startedAt = rowSchema.parse(data)[0]?.[0] ?? 0;
    else if (event === "snapshot") snapshots.push(rowOf(types, rowSchema.parse(data)));
    else if (event === "cumulative") whole = rowOf(types, rowSchema.parse(data));
  }
  return { startedAt, snapshots, whole };
}

function rowOf(types: ReadonlyMap<string, string>, values: readonly (readonly number[])[]): Row {
  const names = [...types.keys()].sort();
  const row = new Map<string, Record<string, number>>();
  for (const [k, name] of names.entries()) {
    const numbers = values[k] ?? [];
    const fields = fieldsOf[types.get(name) ?? ""] ?? [];
    if (numbers.length === fields.length) {
      row.set(name, Object.fromEntries(fields.map((field, n) => [field, numbers[n] ?? 0])));
    }
  }
  return row;
}

export function seriesOf({ startedAt, snapshots }: K6Record): ClientPoint[] {
  return snapshots.map((row): ClientPoint => {
    const all = row.get("http_req_duration");
    const next = row.get("http_req_duration{name:next}");
    const value = (name: string, field: string) => row.get(name)?.[field] ?? 0;
    return {
      t: (value("time", "value") - startedAt) / 1000,
      perSecond: value("http_reqs", "rate"),
      errorRate: value("http_req_failed", "rate"),
      dropped: value("dropped_iterations", "count"),
      users: row.get("vus")?.value ?? null,
      ...{ p50: all?.med ?? null, p90: all?.["p(90)"] ?? null, p95: all?.["p(95)"] ?? null },
      ...{ p99: all?.["p(99)"] ?? null, max: all?.max ?? null },
      ...{ nextP50: next?.med ?? null, nextP95: next?.["p(95)"] ?? null, nextP99: next?.["p(99)"] ?? null },
    };
  });
}

export function requestsOf({ whole }: K6Record): Result["requests"] {
  return [...whole.entries()].flatMap(([metric, values]) => {
    const name = /^http_req_duration\{name:(.+)\}$/.exec(metric)?.[1];
    if (name === undefined) return [];
    const count = whole.get(`http_reqs{name:${name}}`)?.count ?? 0;
    const failed = Math.round((whole.get(`http_req_failed{name:${name}}`)?.rate ?? 0) * count);
    const { med = 0, max = 0 } = values;
    return [{ name, count, failed, p50: med, p95: values["p(95)"] ?? null, p99: values["p(99)"] ?? null, max }];
  });
}

const metricValue = ({ metrics }: K6Summary, name: string, field: string): number | null =>
  metrics[name]?.values[field] ?? null;

export function totalsOf(
  name: ScenarioName,
  summary: K6Summary,
  { whole }: K6Record,
): Omit<Result["totals"], "hitRatio" | "lagSecondsMax" | "drainSeconds"> {
  const count = (name: string) => metricValue(summary, name, "count") ?? 0;
  const trend = (field: string) => metricValue(summary, durationOf(name), field);
  const next = whole.get("http_req_duration{name:next}");
  const requests = count("http_reqs");
  const errorRate = metricValue(summary, "http_req_failed", "rate") ?? 0;
  return {
    ...{ requests, perSecond: metricValue(summary, "http_reqs", "rate") ?? 0 },
    ...{ failed: Math.round(errorRate * requests), errorRate },
    ...{ p50: trend("med"), p95: trend("p(95)"), p99: trend("p(99)"), max: trend("max") },
    ...{ nextP50: next?.med ?? null, nextP95: next?.["p(95)"] ?? null, nextP99: next?.["p(99)"] ?? null },
    ...{ steps: count("iterations"), dropped: count("dropped_iterations"), shed: count("shed_requests") },
    accepted: count("interactions_accepted"),
    readyMade: metricValue(summary, "ready_made_lists", "rate"),
  };
}

export function levelsFound(load: Load, summary: K6Summary): Level[] {
  return levelsOf(load).flatMap(({ users, seconds }): Level[] => {
    const tag = `scenario:${levelName(users)}`;
    const iterations = metricValue(summary, `iterations{${tag}}`, "count") ?? 0;
    if (iterations === 0) return [];
    const dropped = metricValue(summary, `dropped_iterations{${tag}}`, "count") ?? 0;
    const level = {
      users,
      stepsPerSecond: iterations / seconds,
      requestsPerSecond: (metricValue(summary, `http_reqs{${tag}}`, "count") ?? 0) / seconds,
      p95: metricValue(summary, `http_req_duration{${tag}}`, "p(95)"),
      p99: metricValue(summary, `http_req_duration{${tag}}`, "p(99)"),
      nextP95: metricValue(summary, `http_req_duration{${tag},name:next}`, "p(95)"),
      errorRate: metricValue(summary, `http_req_failed{${tag}}`, "rate"),
      dropped: dropped / (iterations + dropped),
    };
    return [{ ...level, met: isMet(level) }];
  });
}

/** The limits of the product, and that the load was put on as it was meant. */
function isMet({ p95, nextP95, errorRate, dropped }: Omit<Level, "met">): boolean {
  return (
    (p95 ?? Number.POSITIVE_INFINITY) < limits.p95Ms &&
    (nextP95 ?? Number.POSITIVE_INFINITY) < limits.nextP95Ms &&
    (errorRate ?? 1) < limits.errorRate &&
    dropped < droppedMax
  );
}

/** More steps left out, and the run says little of the load it was meant to be. */
const droppedMax = 0.01;

const shown = (value: number | null, unit: string, digits = 0): string =>
  value === null ? "not measured" : `${value.toFixed(digits)}${unit}`;
const percent = (value: number | null, digits = 2): string => shown(value === null ? null : value * 100, " %", digits);

export function verdictsOf(name: ScenarioName, load: Load, summary: K6Summary): Verdict[] {
  const ok = (metric: string): boolean =>
    Object.values(summary.metrics[metric]?.thresholds ?? {}).every((threshold) => threshold.ok) &&
    summary.metrics[metric] !== undefined;
  const checks = summary.root_group.checks.reduce((sum, { passes, fails }) => sum + passes + fails, 0);
  const violations = metricValue(summary, "content_violations", "count") ?? 0;
  // A counter that never counted is not in the summary; checks that never ran prove nothing.
  const content: Verdict = {
    ...{ name: "content of answers", limit: "no violation" },
    value: `${violations} in ${checks} checks`,
    met: violations === 0 && checks > 0,
  };
  if (name === "stress") return [kneeVerdict(load, levelsFound(load, summary)), content];
  const all = durationOf(name);
  const next = "http_req_duration{name:next}";
  const steps = metricValue(summary, "iterations", "count") ?? 0;
  const dropped = metricValue(summary, "dropped_iterations", "count") ?? 0;
  const share = dropped / Math.max(1, steps + dropped);
  const fresh = metricValue(summary, "fresh_answers", "rate");
  const p95 = (metric: string) => shown(metricValue(summary, metric, "p(95)"), " ms", 1);
  return [
    { name: "p95 of all requests", limit: `< ${limits.p95Ms} ms`, value: p95(all), met: ok(all) },
    { name: "p95 of next", limit: `< ${limits.nextP95Ms} ms`, value: p95(next), met: ok(next) },
    {
      ...{ name: "requests that failed", limit: `< ${percent(limits.errorRate, 1)}` },
      ...{ value: percent(metricValue(summary, "http_req_failed", "rate"), 3), met: ok("http_req_failed") },
    },
    content,
    ...(name === "ingest"
      ? []
      : [
          { name: "answers that include the answer", limit: "> 99 %", value: percent(fresh), met: ok("fresh_answers") },
        ]),
    { name: "steps left out", limit: `< ${percent(droppedMax, 0)}`, value: percent(share), met: share < droppedMax },
  ];
}

/** Levels that met the limits before the first that missed them. */
export function kneeOf(levels: readonly Level[]): Level | null {
  const missed = levels.findIndex(({ met }) => !met);
  return levels[missed < 0 ? levels.length - 1 : missed - 1] ?? null;
}

function kneeVerdict(load: Load, levels: readonly Level[]): Verdict {
  const knee = kneeOf(levels);
  const [lowest] = levelsOf(load);
  return {
    name: "users within the limits",
    limit: `>= ${lowest?.users ?? 0}`,
    value: knee === null ? "none" : `${knee.users} (${Math.round(knee.users / thinkSeconds)} steps/s)`,
    met: knee !== null,
  };
}
