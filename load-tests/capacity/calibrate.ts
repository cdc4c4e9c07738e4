import { setTimeout as sleep } from "node:timers/promises";
import type { PipelineModel } from "../../src/domain/pipeline-simulation/model.ts";
import { answer, learnerOf } from "../bench/course.ts";
import { cpuSeconds } from "../bench/processes.ts";
import { nextPath } from "../bench/proximal-app.ts";
import { median } from "../bench/statistics.ts";
import { measureCatchUp, measureSteady } from "./measure-workers.ts";
import { metricOf, type RoleProcess, type Stack } from "./stack.ts";

/** Service times of the running processes, measured with little going on: milliseconds. */
export interface Calibration {
  /** POST, one after the other: what the client sees, its spread, the commit in it, and CPU of the process. */
  readonly postAlone: number;
  readonly postCv: number;
  readonly commitAlone: number;
  readonly postCpu: number;
  /** What each further event adds to a commit. */
  readonly commitPerEvent: number;
  readonly nextAlone: number;
  readonly nextCpu: number;
  /** From the reply to a POST to the reply of a query that waits for it, less a query that need not wait. */
  readonly visibleAlone: number;
  /** Time of an event in a catch-up, and CPU of a batch beside its events. */
  readonly event: number;
  readonly batch: number;
  readonly redisRoundTrip: number;
}

interface Roles {
  readonly api: RoleProcess;
  readonly projector: RoleProcess;
}

const rounds = 300;
/** Between two rounds, so that each is alone: not so long that processors have gone to sleep, as they do not in a run. */
const pauseMs = 5;
const bulk = 20_000;

/** Single posts come last: by then their code has been compiled, without which one takes half as long again. */
export async function calibrate(stack: Stack, { api, projector }: Roles, learners: number): Promise<Calibration> {
  process.kill(projector.pid, "SIGSTOP");
  for (let n = 0; n < bulk; n += 500) {
    const batch = Array.from({ length: 500 }, (_, i) => answer((n + i) % learners, 40_000 + n));
    await api.request("POST", "/v1/interactions", batch);
  }
  const from = performance.now();
  const caught = await measureCatchUp(stack, projector, bulk);
  const wall = (performance.now() - from) / bulk;
  const { perBatch } = await measureSteady({ api, projector, seconds: 4, perEvent: caught.app });
  process.kill(projector.pid, "SIGCONT");
  const alone = await measureAlone(stack, api);
  const commitPerEvent = await measureLargeCommits(api, alone.commitAlone, learners);
  // What a look at the lag adds, and waiting to be asked, must not be taken for the work itself.
  return { ...alone, commitPerEvent, event: Math.min(wall, 4 * caught.app * 1000), batch: perBatch * 1000 };
}

async function measureAlone(stack: Stack, api: RoleProcess) {
  const post = (learner: number, n: number) => api.request("POST", "/v1/interactions", answer(learner, n));
  const times = { post: [] as number[], next: [] as number[], after: [] as number[], trip: [] as number[] };
  const timed = async <T>(list: number[], work: () => Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work();
    list.push(performance.now() - from);
    return result;
  };
  const commits = async () => ({
    seconds: await metricOf(api, "append_duration_seconds_sum"),
    count: await metricOf(api, "append_duration_seconds_count"),
  });
  const before = await commits();
  for (let n = 0; n < rounds; n += 1) {
    const learner = n % 100;
    const posted = await timed(times.post, () => post(learner, 30_000 + n));
    const token = encodeURIComponent(String(JSON.parse(posted.text).tokens[learnerOf(learner)]));
    await timed(times.after, () => api.request("GET", `${nextPath(learner)}?after=${token}`));
    await timed(times.next, () => api.request("GET", nextPath(learner)));
    await timed(times.trip, () => stack.redisClient.ping());
    await sleep(pauseMs);
  }
  const after = await commits();
  const [postAlone, nextAlone] = [median(times.post), median(times.next)];
  return {
    ...{ postAlone, nextAlone, redisRoundTrip: median(times.trip) },
    postCv: Math.min(1, variation(times.post)),
    commitAlone: ((after.seconds - before.seconds) / (after.count - before.count)) * 1000,
    visibleAlone: Math.max(0, median(times.after) - nextAlone),
    postCpu: 1000 * (await cpuOfMany(api, (n) => post(n % 100, 31_000 + n))),
    nextCpu: 1000 * (await cpuOfMany(api, (n) => api.request("GET", nextPath(n % 100)))),
  };
}

/** Standard deviation over mean. */
function variation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) / mean;
}

/** CPU seconds of the process for a request, sixteen at a time. */
async function cpuOfMany(api: RoleProcess, send: (n: number) => Promise<unknown>): Promise<number> {
  const count = 1600;
  const before = cpuSeconds(api.pid);
  for (let n = 0; n < count; n += 16) await Promise.all(Array.from({ length: 16 }, (_, i) => send(n + i)));
  return (cpuSeconds(api.pid) - before) / count;
}

/** Commits of 500 events against those of one. */
async function measureLargeCommits(api: RoleProcess, aloneMs: number, learners: number): Promise<number> {
  const before = await metricOf(api, "append_duration_seconds_sum");
  for (let n = 0; n < 10; n += 1) {
    const batch = Array.from({ length: 500 }, (_, i) => answer((500 * n + i) % learners, 33_000 + n));
    await api.request("POST", "/v1/interactions", batch);
  }
  const each = (((await metricOf(api, "append_duration_seconds_sum")) - before) / 10) * 1000;
  return Math.max(0, (each - aloneMs) / 499);
}

export function modelOf(times: Calibration): PipelineModel {
  const transport = Math.max(0, times.nextAlone - times.nextCpu);
  const write = 2 * times.redisRoundTrip;
  return {
    api: {
      ...{ processes: 1, balancing: "random", memoryHitShare: 0, readWaitMs: 100 },
      transport: { meanMs: transport, cv: 0.5 },
      post: { meanMs: times.postCpu, cv: 0.5 },
      next: { meanMs: times.nextCpu, cv: 0.5 },
      nextRead: { meanMs: 0 },
    },
    commit: {
      base: { meanMs: times.commitAlone, cv: times.postCv },
      // Nobody else commits: what is done one at a time cannot be told from the rest.
      ...{ perEventMs: times.commitPerEvent, serialMs: times.commitAlone / 2 },
      ...{ eventsMax: 500, inFlightMax: 2, besideFrom: 32, queueMax: 50_000 },
    },
    feed: {
      wake: { meanMs: Math.max(0.1, times.visibleAlone - times.batch - times.event - write), cv: 0.5 },
      relay: null,
    },
    projector: {
      ...{ partitions: 1, workers: 1, eventsMax: 20_000, startMs: 0, rebalanceMs: 0 },
      batch: { meanMs: times.batch, cv: 0.5 },
      event: { meanMs: times.event, cv: 0.5 },
      write: { meanMs: write, cv: 0.5 },
      ...{ writeEventMs: 0, writeDeadlineMs: 5000, retryMs: 100, retryMsMax: 10_000 },
    },
    redisRoundTrip: { meanMs: times.redisRoundTrip, cv: 0.5 },
    notice: { meanMs: times.redisRoundTrip, cv: 0.5 },
  };
}
