import { readFile } from "node:fs/promises";
import { z } from "zod";
import { machineSchema } from "../bench/result.ts";

/** What a run leaves behind: a file of its own, which the report, the comparison and the documents' tables are made from. */

const maybe = z.number().nullable();

const verdictSchema = z.object({
  name: z.string(),
  /** As it is written: "< 300 ms". */
  limit: z.string(),
  /** As measured, with its unit. */
  value: z.string(),
  met: z.boolean(),
});

/** Milliseconds. */
const latencies = { p50: maybe, p95: maybe, p99: maybe, max: maybe };
const latenciesOfNext = { nextP50: maybe, nextP95: maybe, nextP99: maybe };

const requestSchema = z.object({ name: z.string(), count: z.number(), failed: z.number(), ...latencies });

/** One stretch of time as the load generator saw it; `t` in seconds from the start of the load. Latencies in ms. */
const clientPointSchema = z.object({
  t: z.number(),
  perSecond: z.number(),
  errorRate: z.number(),
  dropped: z.number(),
  users: maybe,
  ...latencies,
  p90: maybe,
  ...latenciesOfNext,
});

const roleSampleSchema = z.object({
  /** Cores. */
  cpu: maybe,
  rssMb: maybe,
  heapMb: maybe,
  eventLoopP99Ms: maybe,
  /** Share of the time spent in garbage collection. */
  gcShare: maybe,
});

/** One look at the system; `t` as above, rates since the look before. */
const sampleSchema = z.object({
  t: z.number(),
  /** Share of the whole machine's time, whoever used it. */
  machineBusy: maybe,
  roles: z.record(z.string(), roleSampleSchema),
  /** Cores by engine and load generator. */
  cpu: z.record(z.string(), z.number()),
  lagEvents: maybe,
  lagSeconds: maybe,
  /** Interactions that wait for the log. */
  pending: maybe,
  /** Of rows asked of the processes' own memory. */
  hitRatio: maybe,
  /** Share of the answers that were the learner's own list, others' popular items, or stale. */
  sources: z.record(z.string(), z.number()),
  acceptedPerSecond: maybe,
  /** Requests refused under pressure. */
  shedPerSecond: maybe,
  redis: z
    .object({
      memoryMb: z.number(),
      opsPerSecond: z.number(),
      hitRatio: maybe,
      clients: z.number(),
      evicted: z.number(),
    })
    .nullable(),
  postgres: z
    .object({
      commitsPerSecond: maybe,
      insertsPerSecond: maybe,
      cacheHitRatio: maybe,
      walMbPerSecond: maybe,
      active: z.number(),
      waiting: z.number(),
      sizeMb: z.number(),
    })
    .nullable(),
});

const connectionsSchema = z.object({
  wanted: z.number(),
  held: z.number(),
  /** Addresses of this machine that they come from. */
  sources: z.number(),
  requests: z.number(),
  failed: z.number(),
  reconnects: z.number(),
  ...latencies,
});

const levelSchema = z.object({
  users: z.number(),
  stepsPerSecond: z.number(),
  requestsPerSecond: z.number(),
  p95: maybe,
  nextP95: maybe,
  p99: maybe,
  errorRate: maybe,
  /** Share of the steps that k6 could not start in time. */
  dropped: z.number(),
  met: z.boolean(),
});

export const resultSchema = z.object({
  version: z.literal(1),
  tool: z.enum(["k6", "locust"]),
  scenario: z.string(),
  title: z.string(),
  what: z.string(),
  startedAt: z.string(),
  /** Of the load itself. */
  seconds: z.number(),
  command: z.string(),
  /** What was measured: the stack, its size. */
  target: z.string(),
  tool_version: z.string(),
  machine: machineSchema,
  load: z.object({ users: z.number(), seconds: z.number() }),
  verdicts: z.array(verdictSchema),
  totals: z.object({
    requests: z.number(),
    perSecond: z.number(),
    failed: z.number(),
    errorRate: z.number(),
    ...latencies,
    ...latenciesOfNext,
    steps: z.number(),
    /** Steps that the load generator could not start when they were due. */
    dropped: z.number(),
    shed: z.number(),
    accepted: z.number(),
    /** Share of the lists that were ready, and not chosen when asked for. */
    readyMade: maybe,
    hitRatio: maybe,
    lagSecondsMax: maybe,
    /** From the end of the load until every projection had folded all. */
    drainSeconds: maybe,
  }),
  requests: z.array(requestSchema),
  checks: z.array(z.object({ name: z.string(), passes: z.number(), fails: z.number() })),
  levels: z.array(levelSchema),
  connections: connectionsSchema.nullable(),
  series: z.array(clientPointSchema),
  samples: z.array(sampleSchema),
  /** The tool's own summary, as it wrote it. */
  raw: z.unknown(),
});

export type Result = z.infer<typeof resultSchema>;
export type Verdict = z.infer<typeof verdictSchema>;
export type ClientPoint = z.infer<typeof clientPointSchema>;
export type Sample = z.infer<typeof sampleSchema>;
export type RoleSample = z.infer<typeof roleSampleSchema>;
export type ConnectionsResult = z.infer<typeof connectionsSchema>;
export type Level = z.infer<typeof levelSchema>;

export async function readResult(path: string): Promise<Result> {
  const text = await readFile(path, "utf8").catch(() => {
    throw new Error(`there is no file ${path}`);
  });
  const parsed = resultSchema.safeParse(safeJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${path} is not a result of this version: ${issue?.path.join(".")} ${issue?.message}`);
  }
  return parsed.data;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
