import { setTimeout as sleep } from "node:timers/promises";
import { cpuBySession, cpuOf, machineCpu } from "./cpu.ts";
import { type MetricValue, maxOf, parseMetrics, sumOf } from "./metrics-text.ts";
import type { RoleSample, Sample } from "./result.ts";
import { lookAtPostgres, lookAtRedis, share } from "./sample-engines.ts";
import type { Target } from "./target.ts";

export interface Sampler {
  /** Processes that put the load on, by name: they share the machine with what they load. */
  watch(name: string, pid: number): void;
  /** Hits among the rows asked of the processes' own memory, from the start to now; null where none was asked. */
  hitRatio(): number | null;
  /** Stops looking, and gives all looks. Idempotent. */
  stop(): Promise<readonly Sample[]>;
}

interface RoleCounts {
  readonly at: number;
  readonly cpu: number;
  readonly gc: number;
  readonly hits: number;
  readonly misses: number;
  readonly accepted: number;
  readonly shed: number;
  readonly sources: Readonly<Record<string, number>>;
}

const mb = 2 ** 20;
const sources = ["personal", "popular", "stale"];

/** Looks at everything every `everyMs`, until it is stopped; `t` of a sample counts from `startedAt` (performance.now()). */
export function startSampler(target: Target, startedAt: number, everyMs: number): Sampler {
  const samples: Sample[] = [];
  const watched = new Map<string, number>();
  const postgres = target.postgres === null ? null : lookAtPostgres(target.postgres);
  const [readModels] = target.redis;
  const redis = readModels === undefined ? null : lookAtRedis(readModels.port);
  const first = new Map<string, RoleCounts>();
  const last = new Map<string, RoleCounts>();
  const stopping = new AbortController();
  let cpuBefore = cpuNow();

  function cpuNow() {
    const sessions = cpuBySession();
    const byName = new Map<string, number>();
    for (const { name, pid } of target.pieces) {
      const seconds = sessions?.get(pid);
      if (seconds !== undefined) byName.set(name, seconds);
    }
    for (const [name, pid] of watched) {
      const seconds = cpuOf(pid);
      if (seconds !== null) byName.set(name, seconds);
    }
    return { at: performance.now(), byName, machine: machineCpu() };
  }

  function cpuSince(before: typeof cpuBefore, now: typeof cpuBefore): Pick<Sample, "cpu" | "machineBusy"> {
    const seconds = (now.at - before.at) / 1000;
    const cpu: Record<string, number> = {};
    for (const [name, used] of now.byName) {
      const then = before.byName.get(name);
      if (then !== undefined) cpu[name] = Math.max(0, used - then) / seconds;
    }
    return {
      cpu,
      machineBusy: share(now.machine.busy - before.machine.busy, idleOf(now.machine) - idleOf(before.machine)),
    };
  }

  async function lookAtRole(name: string, url: string): Promise<{ values: MetricValue[]; sample: RoleSample } | null> {
    const text = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) })
      .then((reply) => (reply.ok ? reply.text() : null))
      .catch(() => null);
    if (text === null) return null;
    const values = parseMetrics(text);
    const now = countsOf(values);
    const before = last.get(name);
    last.set(name, now);
    if (!first.has(name)) first.set(name, now);
    const seconds = before === undefined ? 0 : (now.at - before.at) / 1000;
    const rate = (field: "cpu" | "gc") => (before === undefined ? null : (now[field] - before[field]) / seconds);
    const bytes = (metric: string) => scaled(sumOf(values, metric), 1 / mb);
    return {
      values,
      sample: {
        ...{ cpu: rate("cpu"), gcShare: rate("gc") },
        ...{ rssMb: bytes("process_resident_memory_bytes"), heapMb: bytes("nodejs_heap_size_used_bytes") },
        eventLoopP99Ms: scaled(maxOf(values, "nodejs_eventloop_lag_p99_seconds"), 1000),
      },
    };
  }

  async function look(): Promise<void> {
    const before = new Map(last);
    const t = (performance.now() - startedAt) / 1000;
    const seconds = samples.length === 0 ? everyMs / 1000 : t - (samples.at(-1)?.t ?? 0);
    const [roles, redisSample, postgresSample] = await Promise.all([
      Promise.all(target.roles.map(async ({ name, url }) => ({ name, look: await lookAtRole(name, url) }))),
      redis?.look(seconds) ?? null,
      postgres?.look(seconds) ?? null,
    ]);
    const now = cpuNow();
    const cpu = cpuSince(cpuBefore, now);
    cpuBefore = now;
    const seen = roles.flatMap(({ name, look }) => (look === null ? [] : [{ name, ...look }]));
    samples.push({
      t,
      ...cpu,
      roles: Object.fromEntries(seen.map(({ name, sample }) => [name, sample])),
      lagEvents: largest(seen.map(({ values }) => maxOf(values, "projection_lag_events"))),
      lagSeconds: largest(seen.map(({ values }) => maxOf(values, "projection_lag_seconds"))),
      pending: summed(seen.map(({ values }) => sumOf(values, "append_pending_events"))),
      ...ratesOf(before, last),
      ...{ redis: redisSample, postgres: postgresSample },
    });
  }

  const done = (async () => {
    while (!stopping.signal.aborted) {
      const began = performance.now();
      await look();
      const rest = Math.max(10, everyMs - (performance.now() - began));
      await sleep(rest, null, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    watch: (name, pid) => void watched.set(name, pid),
    hitRatio: () => changesOf(first, last).hitRatio,
    async stop() {
      if (!stopping.signal.aborted) {
        stopping.abort();
        await done;
        await Promise.all([postgres?.close(), redis?.close()]);
      }
      return samples;
    },
  };
}

function countsOf(values: readonly MetricValue[]): RoleCounts {
  const count = (name: string, labels?: Record<string, string>) => sumOf(values, name, labels) ?? 0;
  const lookUp = (result: string) => count("row_cache_lookups_total", { result });
  return {
    at: performance.now(),
    cpu: count("process_cpu_seconds_total"),
    gc: count("nodejs_gc_duration_seconds_sum"),
    // Answered from memory: there, or known to be nowhere. Not: read, or waited for another's read. What waits for a write
    // (awaited), since it was asked for with the token of an answer just given, could be in no memory, and is left out.
    hits: lookUp("hit") + lookUp("absent"),
    misses: lookUp("miss") + lookUp("joined"),
    shed: count("http_requests_shed_total"),
    accepted: count("interactions_total", { status: "accepted" }),
    sources: Object.fromEntries(sources.map((source) => [source, count("next_answers_total", { source })])),
  };
}

type Counts = ReadonlyMap<string, RoleCounts>;

/** What was counted between two looks, over all roles that both saw. */
function changesOf(before: Counts, now: Counts) {
  let [hits, misses, accepted, shed, seconds] = [0, 0, 0, 0, 0];
  const answers: Record<string, number> = {};
  for (const [name, counts] of now) {
    const then = before.get(name);
    if (then === undefined || then === counts) continue;
    hits += counts.hits - then.hits;
    misses += counts.misses - then.misses;
    accepted += counts.accepted - then.accepted;
    shed += counts.shed - then.shed;
    seconds = Math.max(seconds, (counts.at - then.at) / 1000);
    for (const source of sources) {
      answers[source] = (answers[source] ?? 0) + (counts.sources[source] ?? 0) - (then.sources[source] ?? 0);
    }
  }
  return { hitRatio: share(hits, misses), accepted, shed, seconds, answers };
}

function ratesOf(
  before: Counts,
  now: Counts,
): Pick<Sample, "hitRatio" | "sources" | "acceptedPerSecond" | "shedPerSecond"> {
  const { hitRatio, accepted, shed, seconds, answers } = changesOf(before, now);
  const all = Object.values(answers).reduce((sum, count) => sum + count, 0);
  return {
    hitRatio,
    sources:
      all === 0 ? {} : Object.fromEntries(Object.entries(answers).map(([source, count]) => [source, count / all])),
    acceptedPerSecond: seconds === 0 ? null : accepted / seconds,
    shedPerSecond: seconds === 0 ? null : shed / seconds,
  };
}

const idleOf = ({ busy, all }: { busy: number; all: number }): number => all - busy;
const scaled = (value: number | null, factor: number): number | null => (value === null ? null : value * factor);
const present = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

function largest(values: readonly (number | null)[]): number | null {
  const found = present(values);
  return found.length === 0 ? null : Math.max(...found);
}

function summed(values: readonly (number | null)[]): number | null {
  const found = present(values);
  return found.length === 0 ? null : found.reduce((sum, value) => sum + value, 0);
}
