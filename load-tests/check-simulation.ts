// node load-tests/check-simulation.ts [--rate 200 --spike 5 --seconds 40 --save: overwrites load-tests/results/simulation-check.json]
//
// How far the simulation of the pipeline is off: the real thing (a PostgreSQL with fsync on and a Redis of its own, a process
// that takes requests and one that projects) lives through a steady rate, a spike, a projector and a Redis that stand still
// (SIGSTOP), and so does the simulation, with service times that were measured before, apart from that. About 4 minutes.

import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { RateProfile } from "../src/domain/pipeline-simulation/arrivals.ts";
import type { Outage, PipelineModel, Scenario, SimulationResult } from "../src/domain/pipeline-simulation/model.ts";
import { simulatePipeline } from "../src/domain/pipeline-simulation/simulate-pipeline.ts";
import { answer, items, skills, track } from "./bench/course.ts";
import { describeMachine } from "./bench/machine.ts";
import { ask, endAll, startNode } from "./bench/processes.ts";
import { median, quantile } from "./bench/statistics.ts";
import { type Calibration, calibrate, modelOf } from "./capacity/calibrate.ts";
import type { OpenLoadOrder, OpenLoadReport } from "./capacity/open-load.ts";
import { type RoleProcess, type Stack, startStack } from "./capacity/stack.ts";

const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "200" },
    spike: { type: "string", default: "5" },
    seconds: { type: "string", default: "40" },
    save: { type: "boolean", default: false },
  },
});
const [rate, spike, seconds] = [Number(values.rate), Number(values.spike), Number(values.seconds)];
if (!(rate > 0 && spike >= 1 && seconds >= 30)) throw new Error("--rate above 0, --spike from 1, --seconds from 30 on");
const learners = 1000;
const askedShare = 0.1;
const simulations = 5;
const say = (line: string): void => console.error(line);

interface Case {
  readonly name: string;
  readonly profile: RateProfile;
  readonly outage?: Outage;
}

const at = { fromSeconds: 10, seconds: 6 };
const cases: readonly Case[] = [
  { name: "steady", profile: { perSecond: rate } },
  { name: `spike of ${spike}x for 6 s`, profile: { perSecond: rate, spikes: [{ ...at, factor: spike }] } },
  { name: "projector stands still for 6 s", profile: { perSecond: rate }, outage: { engine: "projector", ...at } },
  { name: "Redis stands still for 6 s", profile: { perSecond: rate }, outage: { engine: "redis", ...at } },
];

const figures = ["postP50Ms", "postP99Ms", "visibleP50Ms", "visibleP99Ms", "lagEventsMax", "drainedAfterS"] as const;
type Figures = Record<(typeof figures)[number], number>;

interface LagSample {
  readonly atSeconds: number;
  readonly events: number;
}

interface Roles {
  readonly api: RoleProcess;
  readonly projector: RoleProcess;
}

async function seed(stack: Stack, api: RoleProcess): Promise<void> {
  await api.request("POST", "/v1/skills", skills);
  await api.request("POST", "/v1/items", items);
  await api.request("POST", "/v1/tracks", track);
  for (let n = 0; n < 20; n += 1) {
    for (let from = 0; from < learners; from += 500) {
      const batch = Array.from({ length: 500 }, (_, i) => answer(from + i, n));
      await api.request("POST", "/v1/interactions", batch);
    }
  }
  say(`${await stack.head()} events in the log`);
}

/** The real thing, once. */
async function live(stack: Stack, { api, projector }: Roles, one: Case, seedOfLoad: number) {
  const generator = startNode("load-tests/capacity/open-load.ts");
  await projector.caughtUp();
  const order: OpenLoadOrder = {
    ...{ url: api.url, key: stack.key, profile: one.profile, seconds, seed: seedOfLoad, askedShare, learners },
  };
  const loading = ask<OpenLoadReport>(generator, order);
  const watching = watchLag(stack, projector, seconds + 5);
  const stopped = one.outage === undefined ? Promise.resolve() : standStill(stack, projector, one.outage);
  const [report, lag] = await Promise.all([loading, watching, stopped]);
  await generator.stop();
  if (report.failed > 0) say(`${report.failed} posts failed`);
  return { report, lag };
}

async function standStill(stack: Stack, projector: RoleProcess, outage: Outage): Promise<void> {
  const pid = outage.engine === "redis" ? stack.redis.pid : projector.pid;
  await sleep(outage.fromSeconds * 1000);
  process.kill(pid, "SIGSTOP");
  await sleep(outage.seconds * 1000);
  process.kill(pid, "SIGCONT");
}

/**
 * Position of the log less that of the projector, read one after the other: an older position would be taken for a lag. While the
 * projector does not answer it stands where it stood.
 */
async function watchLag(stack: Stack, projector: RoleProcess, forSeconds: number): Promise<LagSample[]> {
  const samples: LagSample[] = [];
  const started = performance.now();
  let position = await stack.head();
  const look = async (): Promise<void> => {
    const { projections } = JSON.parse((await projector.request("GET", "/v1/ops/lag")).text);
    const learners = projections.find(({ projection }: { projection: string }) => projection === "learners");
    position = Math.max(position, learners.position);
  };
  let looking: Promise<void> | null = null;
  for (;;) {
    looking ??= look()
      .catch(() => undefined)
      .finally(() => {
        looking = null;
      });
    await Promise.race([looking, sleep(100)]);
    const atSeconds = (performance.now() - started) / 1000;
    if (atSeconds > forSeconds) return samples;
    samples.push({ atSeconds, events: Math.max(0, (await stack.head()) - position) });
    // A look counts what is behind, which takes time from what is watched.
    await sleep(100);
  }
}

/** Seconds after the end of the trouble until the lag is what it was before it; NaN where it was that at the end, too. */
function drainedAfter(samples: readonly LagSample[]): number {
  const before = quantile(
    samples.filter(({ atSeconds }) => atSeconds > 2 && atSeconds < at.fromSeconds).map(({ events }) => events),
    0.95,
  );
  const asBefore = ({ events }: LagSample): boolean => events <= Math.max(before, 0.05 * rate);
  const end = at.fromSeconds + at.seconds;
  const atEnd = samples.findLast(({ atSeconds }) => atSeconds < end);
  const drained = samples.find((sample) => sample.atSeconds >= end && asBefore(sample));
  return drained === undefined || atEnd === undefined || asBefore(atEnd) ? Number.NaN : drained.atSeconds - end;
}

function figuresOfLive(report: OpenLoadReport, lag: readonly LagSample[]): Figures {
  return {
    postP50Ms: quantile(report.postMs, 0.5),
    postP99Ms: quantile(report.postMs, 0.99),
    visibleP50Ms: quantile(report.visibleMs, 0.5),
    visibleP99Ms: quantile(report.visibleMs, 0.99),
    lagEventsMax: Math.max(...lag.map(({ events }) => events)),
    drainedAfterS: drainedAfter(lag),
  };
}

function figuresOfSimulation({ post, visible, lag, timeline }: SimulationResult): Figures {
  return {
    postP50Ms: post.p50Ms,
    postP99Ms: post.p99Ms,
    visibleP50Ms: visible.p50Ms,
    visibleP99Ms: visible.p99Ms,
    lagEventsMax: lag.eventsMax,
    drainedAfterS: drainedAfter(timeline.map(({ atSeconds, lagEvents }) => ({ atSeconds, events: lagEvents }))),
  };
}

function simulated(model: PipelineModel, one: Case): Figures {
  const runs = Array.from({ length: simulations }, (_, n) => {
    const scenario: Scenario = {
      ...{ seconds, posts: one.profile, seed: 100 + n, sampleSeconds: 0.02, resolutionMs: 0 },
      nexts: { ...one.profile, perSecond: one.profile.perSecond * askedShare },
      outages: one.outage === undefined ? [] : [one.outage],
    };
    return figuresOfSimulation(simulatePipeline(model, scenario));
  });
  return Object.fromEntries(figures.map((name) => [name, median(runs.map((run) => run[name]))])) as Figures;
}

interface Compared {
  readonly name: string;
  readonly posts: number;
  readonly measured: Figures;
  readonly simulated: Figures;
  readonly notVisible: number;
  readonly lateStarts: number;
}

async function check(): Promise<{ calibration: Calibration; compared: Compared[] }> {
  say("starting PostgreSQL, Redis, a process that takes requests and one that projects");
  const stack = await startStack();
  const api = await stack.start("api", { PROXIMAL_AFTER_WAIT_MS: "30000" });
  await seed(stack, api);
  const projector = await stack.start("projector");
  await projector.caughtUp();
  const calibration = await calibrate(stack, { api, projector }, learners);
  say(JSON.stringify(calibration));
  const model = modelOf(calibration);
  const compared: Compared[] = [];
  for (const [n, one] of cases.entries()) {
    const { report, lag } = await live(stack, { api, projector }, one, n + 1);
    const measured = figuresOfLive(report, lag);
    const { notVisible, lateStarts, sent } = report;
    compared.push({ name: one.name, posts: sent, measured, simulated: simulated(model, one), notVisible, lateStarts });
    const last = compared.at(-1) as Compared;
    console.log(`${one.name}: ${sent} posts, ${lateStarts} sent late`);
    for (const name of figures)
      console.log(
        `  ${name.padEnd(14)} measured ${last.measured[name].toFixed(1).padStart(8)}  simulated ${last.simulated[name].toFixed(1).padStart(8)}`,
      );
  }
  return { calibration, compared };
}

process.once("SIGINT", () => void endAll().finally(() => process.exit(130)));
try {
  const { calibration, compared } = await check();
  const result = {
    measuredAt: new Date().toISOString(),
    command: ["node load-tests/check-simulation.ts", ...process.argv.slice(2)].join(" "),
    machine: describeMachine(),
    settings: { rate, spike, seconds, learners, askedShare, simulations },
    calibration,
    compared,
  };
  const folder = fileURLToPath(new URL("./results/", import.meta.url));
  mkdirSync(`${folder}local`, { recursive: true });
  const name = values.save ? "simulation-check.json" : "local/simulation-check.json";
  writeFileSync(`${folder}${name}`, `${JSON.stringify(result, null, 2)}\n`);
  say(`written to load-tests/results/${name}`);
} finally {
  await endAll();
}
