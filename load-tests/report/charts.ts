import { type LineSeries, lineChart } from "../../src/queries/plots/line-chart.ts";
import type { ClientPoint, Result, Sample } from "../runner/result.ts";

/** The plots of one run, or of several over one another: then each series has the name of its run in it. */
export interface Run {
  /** Empty where there is one run. */
  readonly label: string;
  readonly result: Result;
}

export interface Chart {
  readonly caption: string;
  readonly svg: string;
}

interface ChartText {
  readonly title: string;
  readonly y: string;
  readonly caption: string;
  readonly log?: boolean;
  /** Of shares: up to the largest, or to all. */
  readonly percent?: "largest" | "all";
  readonly marks?: readonly { readonly at: number; readonly label: string }[];
}

type Read<T> = (point: T) => number | null;
type Lines<T> = readonly (readonly [name: string, read: Read<T>])[];

const seconds = { label: "seconds from the start" } as const;
/** A point in a plot of 640 pixels is enough for each two of them. */
const pointsMax = 300;

function chartOf<T extends { readonly t: number }>(
  runs: readonly Run[],
  pointsOf: (result: Result) => readonly T[],
  lines: (result: Result) => Lines<T>,
  { title, y, caption, log, percent, marks = [] }: ChartText,
): Chart | null {
  const series = runs.flatMap(({ label, result }) =>
    lines(result).flatMap(([name, read]): LineSeries[] => {
      const points = pointsOf(result).map((point) => ({ x: point.t, y: read(point) }));
      if (points.every((point) => point.y === null)) return [];
      // A logarithm has no zero.
      const drawn = points.map((point) =>
        log === true && point.y !== null && point.y <= 0 ? { ...point, y: null } : point,
      );
      return [{ name: [label, name].filter((part) => part !== "").join(": "), points: thinned(drawn) }];
    }),
  );
  if (series.length === 0) return null;
  const svg = lineChart({
    ...{ title, description: caption, x: seconds, series },
    y: {
      label: y,
      ...(log === true ? { scale: "log" } : {}),
      ...(percent === undefined ? {} : { format: "percent" }),
      ...(percent === "all" ? { min: 0, max: 1 } : {}),
    },
    marks: marks.map((mark) => ({ axis: "y", ...mark })),
  });
  return { caption, svg };
}

/** The largest of each stretch: what is thinned out must not be the peaks. */
function thinned<T extends { readonly y: number | null }>(points: readonly T[]): readonly T[] {
  const each = Math.ceil(points.length / pointsMax);
  if (each <= 1) return points;
  const kept: T[] = [];
  for (let from = 0; from < points.length; from += each) {
    const [first, ...rest] = points.slice(from, from + each);
    if (first !== undefined) kept.push(rest.reduce((a, b) => ((b.y ?? -1) > (a.y ?? -1) ? b : a), first));
  }
  return kept;
}

const client = (runs: readonly Run[], lines: Lines<ClientPoint>, text: ChartText): Chart | null =>
  chartOf<ClientPoint>(
    runs,
    ({ series }) => series,
    () => lines,
    text,
  );

const samples = (runs: readonly Run[], lines: (result: Result) => Lines<Sample>, text: ChartText): Chart | null =>
  chartOf<Sample>(runs, ({ samples }) => samples, lines, text);

/** Names that the samples of a run have, as one line each. */
const named = (
  result: Result,
  names: (sample: Sample) => object,
  read: (name: string) => Read<Sample>,
): Lines<Sample> =>
  [...new Set(result.samples.flatMap((sample) => Object.keys(names(sample))))].map((name) => [name, read(name)]);

const present = (charts: readonly (Chart | null)[]): Chart[] => charts.filter((chart) => chart !== null);

/** As those who ask saw it. With several runs one line of each, else the whole spread. */
export function clientCharts(runs: readonly Run[], limits: { p95Ms: number; nextP95Ms: number }): Chart[] {
  const alone = runs.length === 1;
  return present([
    client(
      runs,
      alone
        ? [
            ["p50", (p) => p.p50],
            ["p90", (p) => p.p90],
            ["p95", (p) => p.p95],
            ["p99", (p) => p.p99],
            ["slowest", (p) => p.max],
          ]
        : [
            ["p50", (p) => p.p50],
            ["p95", (p) => p.p95],
            ["p99", (p) => p.p99],
          ],
      {
        ...{ title: "Latency of all requests", y: "ms", log: true, caption: "How long answers took, by the second." },
        marks: [{ at: limits.p95Ms, label: `limit of p95: ${limits.p95Ms} ms` }],
      },
    ),
    client(
      runs,
      [
        ["p50", (p) => p.nextP50],
        ["p95", (p) => p.nextP95],
        ["p99", (p) => p.nextP99],
      ],
      {
        ...{
          title: "Latency of next",
          y: "ms",
          log: true,
          caption: "How long the question of what is next took, by the second.",
        },
        marks: [{ at: limits.nextP95Ms, label: `limit of p95: ${limits.nextP95Ms} ms` }],
      },
    ),
    client(runs, [["requests", (p) => p.perSecond]], {
      ...{ title: "Throughput", y: "requests a second", caption: "Requests that were answered, by the second." },
    }),
    client(runs, [["left out", (p) => p.dropped]], {
      ...{
        title: "Steps left out",
        y: "steps a second",
        caption: "Steps that were due and could not be started, since all slots waited for answers.",
      },
    }),
    client(runs, [["failed", (p) => p.errorRate]], {
      ...{
        title: "Errors",
        y: "share of the requests",
        percent: "largest",
        caption: "Requests that failed, by the second.",
      },
    }),
  ]);
}

/** As the system saw itself. */
export function serverCharts(runs: readonly Run[]): Chart[] {
  const role = (read: (sample: NonNullable<Sample["roles"][string]>) => number | null) => (result: Result) =>
    named(
      result,
      ({ roles }) => roles,
      (name) =>
        ({ roles }) => {
          const found = roles[name];
          return found === undefined ? null : read(found);
        },
    );
  return present([
    samples(
      runs,
      (result) =>
        named(
          result,
          ({ cpu }) => cpu,
          (name) =>
            ({ cpu }) =>
              cpu[name] ?? null,
        ),
      {
        ...{
          title: "CPU",
          y: "cores",
          caption: "What each process used, engines and load generators too: all share this machine.",
        },
      },
    ),
    samples(runs, () => [["", (s) => s.machineBusy]], {
      ...{ title: "The whole machine", y: "busy", percent: "all", caption: "Whatever ran on it, ours or not." },
    }),
    samples(
      runs,
      role((one) => one.eventLoopP99Ms),
      {
        ...{
          title: "Event loop",
          y: "p99 of its delay, ms",
          log: true,
          caption: "How late a turn of the loop began: 10 ms is idle.",
        },
      },
    ),
    samples(
      runs,
      role((one) => one.gcShare),
      {
        ...{
          title: "Garbage collection",
          y: "share of the time",
          percent: "largest",
          caption: "Of each process of Proximal.",
        },
      },
    ),
    samples(
      runs,
      role((one) => one.rssMb),
      {
        ...{ title: "Memory", y: "MB resident", caption: "Of each process of Proximal." },
      },
    ),
    samples(runs, () => [["", (s) => s.hitRatio]], {
      ...{
        title: "Hit ratio",
        y: "of the process's memory",
        percent: "all",
        caption: "Rows that were asked for and were in the memory of the process.",
      },
    }),
    samples(runs, () => [["", (s) => s.lagEvents]], {
      ...{ title: "Lag in events", y: "events", caption: "Of the projection that is furthest behind." },
    }),
    samples(runs, () => [["", (s) => s.lagSeconds]], {
      ...{ title: "Lag in seconds", y: "seconds", caption: "Age of the oldest event that is not folded." },
    }),
    samples(runs, () => [["accepted", (s) => s.acceptedPerSecond]], {
      ...{ title: "Interactions", y: "a second", caption: "Accepted, and so durable." },
    }),
    samples(runs, () => [["refused", (s) => s.shedPerSecond]], {
      ...{
        title: "Refused under pressure",
        y: "requests a second",
        caption: "With 503 and Retry-After, before latency collapses.",
      },
    }),
    samples(runs, () => [["", (s) => s.pending]], {
      ...{
        title: "Queue before the log",
        y: "interactions",
        caption: "Accepted by nobody yet: they wait for the next commit.",
      },
    }),
    samples(runs, () => [["", (s) => s.redis?.opsPerSecond ?? null]], {
      ...{ title: "Redis: commands", y: "a second", caption: "Of the read models." },
    }),
    samples(runs, () => [["", (s) => s.redis?.memoryMb ?? null]], {
      ...{ title: "Redis: memory", y: "MB", caption: "Of the read models." },
    }),
    samples(
      runs,
      () => [
        ["commits", (s) => s.postgres?.commitsPerSecond ?? null],
        ["rows inserted", (s) => s.postgres?.insertsPerSecond ?? null],
      ],
      {
        ...{ title: "PostgreSQL: commits and rows", y: "a second", caption: "Many interactions share a commit." },
      },
    ),
    samples(runs, () => [["WAL", (s) => s.postgres?.walMbPerSecond ?? null]], {
      ...{
        title: "PostgreSQL: write-ahead log",
        y: "MB a second",
        caption: "What has to be on disk before a post is answered.",
      },
    }),
    samples(
      runs,
      () => [
        ["active", (s) => s.postgres?.active ?? null],
        ["waiting", (s) => s.postgres?.waiting ?? null],
      ],
      {
        ...{
          title: "PostgreSQL: connections at work",
          y: "connections",
          caption: "Waiting: for a lock, a latch or the disk.",
        },
      },
    ),
  ]);
}
