import { readFileSync } from "node:fs";
import { z } from "zod";
import type { describeMachine } from "../../load-tests/bench/machine.ts";

const count = z.number().int().nonnegative();
const amount = z.number().nonnegative();

/** One experiment, as seen by users and as found afterwards. Reads and latencies are those between the fault and full health. */
export const experimentResultSchema = z.strictObject({
  name: z.string(),
  what: z.string(),
  heals: z.string(),
  seed: z.number().int(),
  faultSeconds: amount,
  /** What the repair itself took: a server's start, say. */
  repairSeconds: amount,
  reads: z.strictObject({
    asked: count,
    /** No good answer within the deadline, one retry at another process included. */
    failed: count,
    failedWithoutRetry: count,
    /** What the first process said where the retry was needed, and how often: "no answer", "503 not_ready", ... */
    failures: z.record(z.string(), count),
    /** Answered with what was read last, marked so. */
    stale: count,
    /** Answered with what is popular, marked so. */
    popular: count,
    p50Ms: amount,
    p99Ms: amount,
    deadlineMs: amount,
  }),
  posts: z.strictObject({ accepted: count, sentAgain: count, slowestSeconds: amount, refused: count }),
  /** What was refused for good, the first few. */
  refusals: z.array(z.string()),
  /** Seconds after the repair began until the last answer that needed a retry, the last slow post, no lag. */
  healed: z.strictObject({ answersSeconds: amount, postsSeconds: amount, lagSeconds: amount }),
  /** How long the process of the users stood still itself. */
  stallMs: amount,
  lost: count,
  doubled: count,
  rowsEqual: z.boolean(),
  differing: z.array(z.string()),
});
export type ExperimentResult = z.infer<typeof experimentResultSchema>;

export const chaosResultSchema = z.strictObject({
  at: z.string(),
  command: z.string(),
  machine: z.custom<ReturnType<typeof describeMachine>>((value) => typeof value === "object" && value !== null),
  rates: z.strictObject({ readsPerSecond: count, postsPerSecond: count, learners: count }),
  experiments: z.array(experimentResultSchema),
  /** What could not be done here, and why. */
  skipped: z.array(z.strictObject({ name: z.string(), why: z.string() })),
});
export type ChaosResult = z.infer<typeof chaosResultSchema>;

export const readChaosResult = (file: string): ChaosResult =>
  chaosResultSchema.parse(JSON.parse(readFileSync(file, "utf8")));

/** What must hold of every experiment, whatever machine it ran on; nothing where all does. */
export function broken(result: ExperimentResult): string[] {
  return [
    ...(result.lost > 0 ? [`${result.lost} accepted interactions are lost`] : []),
    ...(result.doubled > 0 ? [`${result.doubled} interactions are stored twice`] : []),
    ...(result.posts.refused > 0 ? [`${result.posts.refused} posts were refused for good: ${result.refusals}`] : []),
    ...(result.rowsEqual ? [] : [`rows are not those of a rebuild: ${result.differing}`]),
  ];
}

/** The share of reads that got a good answer; 1 where none was asked. */
export function availability(results: readonly ExperimentResult[], which: "failed" | "failedWithoutRetry"): number {
  const asked = results.reduce((sum, { reads }) => sum + reads.asked, 0);
  const failed = results.reduce((sum, { reads }) => sum + reads[which], 0);
  return asked === 0 ? 1 : 1 - failed / asked;
}

/** The objective, over all experiments together. */
export const availabilityWanted = 0.999;
