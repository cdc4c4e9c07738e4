import type { Result, RoleSample, Sample } from "../runner/result.ts";
import { type Chart, type ChartText, chartOf, type Lines, type Read, type Run } from "./charts.ts";

/** As the system saw itself. Of one run a line for each process, of two the sum or the worst of them: there are only so many colours. */
export function serverCharts(runs: readonly Run[]): Chart[] {
  const alone = runs.length === 1;
  const charts = [...cpuCharts(alone), ...processCharts(alone), ...flowCharts, ...engineCharts].map(
    ({ lines, ...text }) =>
      chartOf<Sample>(
        runs,
        ({ samples }) => samples,
        (result) => (typeof lines === "function" ? lines(result) : lines),
        text,
      ),
  );
  return charts.filter((chart) => chart !== null);
}

interface Plot extends ChartText {
  readonly lines: Lines<Sample> | ((result: Result) => Lines<Sample>);
}

const generators = ["k6", "locust", "connections"];

/** A line for each name that the samples of a run have. */
const named = (result: Result, names: (sample: Sample) => readonly string[], read: (name: string) => Read<Sample>) =>
  [...new Set(result.samples.flatMap(names))].map((name) => [name, read(name)] as const);

function cpuCharts(alone: boolean): Plot[] {
  const isRole = (sample: Sample, name: string) => name in sample.roles;
  const of = (wanted: (sample: Sample, name: string) => boolean) => (result: Result) => {
    const names = (sample: Sample) => Object.keys(sample.cpu).filter((name) => wanted(sample, name));
    if (alone)
      return named(
        result,
        names,
        (name) =>
          ({ cpu }) =>
            cpu[name] ?? null,
      );
    const sum: Read<Sample> = (sample) => {
      const found = names(sample);
      return found.length === 0 ? null : found.reduce((total, name) => total + (sample.cpu[name] ?? 0), 0);
    };
    return [["", sum]] as const;
  };
  return [
    { title: "CPU of Proximal", y: "cores", caption: "Of each of its processes.", lines: of(isRole) },
    {
      ...{ title: "CPU of the engines", y: "cores", caption: "With all processes of each." },
      lines: of((sample, name) => !isRole(sample, name) && !generators.includes(name)),
    },
    {
      ...{ title: "CPU of the load generators", y: "cores", caption: "They share this machine with what they load." },
      lines: of((_, name) => generators.includes(name)),
    },
    {
      ...{ title: "The whole machine", y: "busy", percent: "all", caption: "Whatever ran on it, ours or not." },
      lines: [["", (s) => s.machineBusy]],
    },
  ];
}

function processCharts(alone: boolean): Plot[] {
  const role = (read: (one: RoleSample) => number | null) => (result: Result) => {
    if (alone) {
      const of = (name: string) => (sample: Sample) => {
        const found = sample.roles[name];
        return found === undefined ? null : read(found);
      };
      return named(result, ({ roles }) => Object.keys(roles), of);
    }
    const largest: Read<Sample> = ({ roles }) => {
      const found = Object.values(roles).flatMap((one) => read(one) ?? []);
      return found.length === 0 ? null : Math.max(...found);
    };
    return [["", largest]] as const;
  };
  return [
    {
      ...{ title: "Event loop", y: "p99 of its delay, ms", log: true },
      ...{ caption: "How late a turn of the loop began; 10 ms is idle.", lines: role((one) => one.eventLoopP99Ms) },
    },
    {
      ...{ title: "Garbage collection", y: "share of the time", percent: "largest" },
      ...{ caption: "Of each process of Proximal.", lines: role((one) => one.gcShare) },
    },
    {
      ...{ title: "Memory", y: "MB resident", caption: "Of each process of Proximal." },
      lines: role((one) => one.rssMb),
    },
    {
      ...{ title: "Hit ratio", y: "share of what was asked", percent: "all" },
      caption: "Rows that the process had in its memory; and of what it asked Redis, what was there.",
      lines: [
        ["memory", (s) => s.hitRatio],
        ["Redis", (s) => s.redis?.hitRatio ?? null],
      ],
    },
  ];
}

const flowCharts: readonly Plot[] = [
  {
    ...{ title: "Lag in events", y: "events", caption: "Of the projection that is furthest behind." },
    lines: [["", (s) => s.lagEvents]],
  },
  {
    ...{ title: "Lag in seconds", y: "seconds", caption: "Age of the oldest event that is not folded." },
    lines: [["", (s) => s.lagSeconds]],
  },
  {
    ...{ title: "Interactions", y: "a second", caption: "Accepted, and so durable." },
    lines: [["", (s) => s.acceptedPerSecond]],
  },
  {
    ...{
      title: "Queue before the log",
      y: "interactions",
      caption: "Not accepted yet: they wait for the next commit.",
    },
    lines: [["", (s) => s.pending]],
  },
  {
    ...{ title: "Refused under pressure", y: "requests a second" },
    ...{ caption: "With 503 and Retry-After, before latency collapses.", lines: [["", (s) => s.shedPerSecond]] },
  },
];

const engineCharts: readonly Plot[] = [
  {
    ...{ title: "Redis: commands", y: "a second", caption: "Of the read models." },
    lines: [["", (s) => s.redis?.opsPerSecond ?? null]],
  },
  {
    ...{ title: "Redis: memory", y: "MB", caption: "Of the read models." },
    lines: [["", (s) => s.redis?.memoryMb ?? null]],
  },
  {
    ...{ title: "PostgreSQL: commits and rows", y: "a second", caption: "Many interactions share a commit." },
    lines: [
      ["commits", (s) => s.postgres?.commitsPerSecond ?? null],
      ["rows", (s) => s.postgres?.insertsPerSecond ?? null],
    ],
  },
  {
    ...{ title: "PostgreSQL: write-ahead log", y: "MB a second" },
    ...{
      caption: "What has to be on disk before a post is answered.",
      lines: [["", (s) => s.postgres?.walMbPerSecond ?? null]],
    },
  },
  {
    ...{ title: "PostgreSQL: connections at work", y: "connections" },
    caption: "Waiting: for a lock, a latch or the disk.",
    lines: [
      ["active", (s) => s.postgres?.active ?? null],
      ["waiting", (s) => s.postgres?.waiting ?? null],
    ],
  },
];
