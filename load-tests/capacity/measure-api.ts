import type { ThroughputPoint } from "../../src/domain/capacity/scalability.ts";
import { answer } from "../bench/course.ts";
import type { LoadOrder, LoadReport } from "../bench/load-generator.ts";
import type { LoadGenerator } from "../bench/load-side.ts";
import { cpuSeconds } from "../bench/processes.ts";
import { nextPath } from "../bench/proximal-app.ts";
import { metricOf, type RoleProcess, redisInfo, type Stack } from "./stack.ts";

/** What requests cost: rounds of load on processes that do nothing but answer. */

export interface ApiSetting {
  readonly stack: Stack;
  /** Processes of the role api, all on the same engines. */
  readonly apis: readonly RoleProcess[];
  /** A load generator for each. */
  readonly generators: readonly LoadGenerator[];
  /** Learners whose rows fit into memory, and others after them who are asked for once. */
  readonly hotLearners: number;
  readonly coldLearners: number;
  readonly seconds: number;
}

export const connectionSteps = [1, 2, 4, 8, 16, 32, 64, 128];
const manyConnections = 64;
const fewConnections = 4;
export const batchSize = 100;

/** CPU seconds a request, by whose processor. */
export interface PerOperation {
  readonly app: number;
  readonly postgres: number;
  readonly redis: number;
}

export interface ApiRound {
  readonly nextFromMemory: PerOperation;
  readonly nextFromRedis: PerOperation & { readonly commands: number; readonly bytes: number };
  readonly post: PerOperation;
  readonly postInBatch: PerOperation;
  readonly nextByConnections: readonly ThroughputPoint[];
  readonly postByConnections: readonly ThroughputPoint[];
  readonly postByProcesses: readonly ThroughputPoint[];
  readonly commits: { readonly baseMs: number; readonly manyMs: number; readonly manyEvents: number };
  /** Commits a second of the whole log, the highest seen. */
  readonly commitsPerSecondMax: number;
}

export async function measureApi(setting: ApiSetting, round: number): Promise<ApiRound> {
  const api = setting.apis[round % setting.apis.length] as RoleProcess;
  const nextFromRedis = await measureCold(setting, api, round);
  const hot = nexts(setting.hotLearners, 0);
  await load(setting, api, { connections: manyConnections, shots: hot, seconds: 1 });
  const nextByConnections: ThroughputPoint[] = [];
  let nextFromMemory: PerOperation | null = null;
  for (const n of connectionSteps) {
    const measured = await load(setting, api, { connections: n, shots: hot });
    nextByConnections.push({ n, throughput: measured.perSecond });
    if (n === manyConnections) nextFromMemory = measured.cpu;
  }
  const posts = await measurePosts(setting, api);
  const byProcesses = await measureProcesses(setting);
  const inBatches = await load(setting, api, { connections: 16, shots: batches(setting) });
  const { app, postgres, redis } = inBatches.cpu;
  return {
    nextFromMemory: nextFromMemory ?? { app: 0, postgres: 0, redis: 0 },
    nextFromRedis,
    ...posts,
    ...byProcesses,
    postInBatch: { app: app / batchSize, postgres: postgres / batchSize, redis: redis / batchSize },
    nextByConnections,
    commitsPerSecondMax: Math.max(posts.commitsPerSecond, byProcesses.commitsPerSecondMax),
  };
}

/** Learners who were not asked for by this process before: each answer reads a row. */
async function measureCold(setting: ApiSetting, api: RoleProcess, round: number): Promise<ApiRound["nextFromRedis"]> {
  const { hotLearners, coldLearners, stack, apis } = setting;
  // A process that has just begun compiles for a while: some of the learners are for that, and where rounds outnumber
  // processes, each has its own part.
  const quarter = Math.floor(coldLearners / 4);
  const turn = Math.floor(round / apis.length);
  await load(setting, api, { connections: manyConnections, shots: nexts(quarter, hotLearners), seconds: 2 });
  const shots = nexts(quarter, hotLearners + (1 + (turn % 3)) * quarter);
  const names = ["total_commands_processed", "total_net_input_bytes", "total_net_output_bytes"] as const;
  const info = () => Promise.all(names.map((name) => redisInfo(stack.redisClient, name)));
  const looks = () => metricOf(api, "row_cache_lookups_total", 'result="miss"');
  const [before, missesBefore] = [await info(), await looks()];
  const seconds = Math.min(setting.seconds, 2);
  const { cpu, requests } = await load(setting, api, { connections: manyConnections, shots, seconds });
  const [after, misses] = [await info(), (await looks()) - missesBefore];
  if (misses < 0.9 * Math.min(requests, quarter))
    console.error(`only ${misses} of ${requests} answers read a row: give more --cold-learners`);
  const per = (at: number): number => ((after[at] ?? 0) - (before[at] ?? 0)) / Math.max(1, misses);
  return { ...cpu, commands: per(0), bytes: per(1) + per(2) };
}

async function measurePosts(setting: ApiSetting, api: RoleProcess) {
  const shots = singles(setting);
  const postByConnections: ThroughputPoint[] = [];
  let base = { ms: 0, events: 1 };
  let many = { ms: 0, events: 1 };
  let cpu: PerOperation = { app: 0, postgres: 0, redis: 0 };
  let commitsPerSecond = 0;
  for (const n of connectionSteps) {
    const before = await commitsOf(api);
    const measured = await load(setting, api, { connections: n, shots });
    const after = await commitsOf(api);
    const commits = after.count - before.count;
    const mean = {
      ms: ((after.seconds - before.seconds) / commits) * 1000,
      events: (after.events - before.events) / commits,
    };
    commitsPerSecond = Math.max(commitsPerSecond, commits / measured.seconds);
    postByConnections.push({ n, throughput: measured.perSecond });
    if (n === 1) base = mean;
    if (n !== connectionSteps.at(-1)) continue;
    many = mean;
    cpu = measured.cpu;
  }
  return {
    post: cpu,
    postByConnections,
    commitsPerSecond,
    commits: { baseMs: base.ms, manyMs: many.ms, manyEvents: many.events },
  };
}

/** n processes at once, a few clients each: what the one log leaves of n times one. */
async function measureProcesses(setting: ApiSetting) {
  const { apis, generators, stack, seconds } = setting;
  const shots = singles(setting);
  const postByProcesses: ThroughputPoint[] = [];
  let commitsPerSecondMax = 0;
  for (let n = 1; n <= apis.length; n += 1) {
    const used = apis.slice(0, n);
    const count = async () => (await Promise.all(used.map(commitsOf))).reduce((sum, { count: one }) => sum + one, 0);
    const before = await count();
    const reports = await Promise.all(
      used.map((api, at) =>
        (generators[at] as LoadGenerator).load({
          ...{ url: api.url, key: stack.key, connections: fewConnections, seconds, shots },
        }),
      ),
    );
    failOn(reports);
    postByProcesses.push({ n, throughput: reports.reduce((sum, one) => sum + one.requests / one.seconds, 0) });
    commitsPerSecondMax = Math.max(commitsPerSecondMax, ((await count()) - before) / (reports[0]?.seconds ?? seconds));
  }
  return { postByProcesses, commitsPerSecondMax };
}

async function commitsOf(api: RoleProcess) {
  return {
    count: await metricOf(api, "append_duration_seconds_count"),
    seconds: await metricOf(api, "append_duration_seconds_sum"),
    events: await metricOf(api, "append_batch_events_sum"),
  };
}

type Load = Pick<LoadOrder, "connections" | "shots"> & { readonly seconds?: number };

async function load({ stack, generators, seconds }: ApiSetting, api: RoleProcess, wanted: Load) {
  const order = { url: api.url, key: stack.key, seconds, ...wanted };
  const [app, engines] = [cpuSeconds(api.pid), stack.cpu()];
  const report = await (generators[0] as LoadGenerator).load(order);
  const [appAfter, after] = [cpuSeconds(api.pid), stack.cpu()];
  failOn([report]);
  const { requests } = report;
  const cpu: PerOperation = {
    app: (appAfter - app) / requests,
    postgres: (after.postgres - engines.postgres) / requests,
    redis: (after.redis - engines.redis) / requests,
  };
  return { cpu, requests, seconds: report.seconds, perSecond: requests / report.seconds };
}

/** A process that has too much to do refuses some: few of them do not change what the others cost. */
const failedShareMax = 0.02;

function failOn(reports: readonly LoadReport[]): void {
  const failed = reports.reduce((sum, one) => sum + one.failed, 0);
  const all = failed + reports.reduce((sum, one) => sum + one.requests, 0);
  if (failed > failedShareMax * all) throw new Error(`${failed} of ${all} requests failed: nothing to learn from`);
  if (failed > 0) console.error(`${failed} of ${all} requests were refused`);
}

const nexts = (count: number, from: number) =>
  Array.from({ length: count }, (_, n) => ({ method: "GET" as const, path: nextPath(from + n) }));

/**
 * Of all learners in turn, so that hardly two events of a batch of the projector are one learner's: these would be written
 * once. Without ids, so that the same body is a new interaction each time.
 */
const singles = ({ hotLearners, coldLearners }: ApiSetting) =>
  Array.from({ length: hotLearners + coldLearners }, (_, n) => ({
    method: "POST" as const,
    path: "/v1/interactions",
    body: JSON.stringify(answer(n, 1000 + n)),
  }));

const batches = ({ hotLearners, coldLearners }: ApiSetting) =>
  Array.from({ length: Math.ceil((hotLearners + coldLearners) / batchSize) }, (_, n) => ({
    method: "POST" as const,
    path: "/v1/interactions",
    body: JSON.stringify(Array.from({ length: batchSize }, (_, i) => answer(n * batchSize + i, 2000 + n))),
  }));
