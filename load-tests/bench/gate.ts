import jStat from "jstat";
import { z } from "zod";
import type { CaseResult } from "./result.ts";
import { machineSchema, ratiosOf } from "./result.ts";
import { median } from "./statistics.ts";

/*
 * The gate of CI: has a path become slower than it was? It looks at ratios by CPU time to the limit measured beside it,
 * which other work on the machine hardly moves, and not at figures. The floor of a case is the median ratio of many runs;
 * a run below it by more than the tolerance is measured again, and fails when all attempts are.
 */

/** Measured this often before it fails: noise would have to strike each time, a slower path is slower each time. */
export const attempts = 3;
/** Of runs of the same code, this share may fail an attempt; with three attempts 0.02 ** 3 = 8 in a million. */
const falseAlarmsOfAnAttempt = 0.02;
/** A tolerance outside of these is not one: less is within what compilers do, more would let pass what the gate is for. */
const leastTolerance = 0.08;
const mostTolerance = 0.18;

const floorSchema = z.object({
  /** Median over the runs of `ratioOf`. */
  ratio: z.number().positive(),
  /** Standard deviation of its logarithm over the runs: 0.05 is about 5 %. */
  sd: z.number().nonnegative(),
  runs: z.int().min(2),
  /** 0.1: fails below 90 % of the ratio. */
  tolerance: z.number().min(0).max(1),
});
export type Floor = z.infer<typeof floorSchema>;

export const floorsSchema = z.object({
  recorded_at: z.iso.datetime(),
  machine: machineSchema,
  cases: z.record(z.string(), floorSchema),
});
export type Floors = z.infer<typeof floorsSchema>;

/** What the gate looks at: the median over the rounds of the ratio by CPU time. NaN where the system does not tell it. */
export const ratioOf = (result: CaseResult): number => median(ratiosOf(result, "cpu"));

export function floorOf(ratios: readonly number[]): Floor {
  const logs = ratios.map(Math.log);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1);
  const sd = Math.sqrt(variance);
  return { ratio: median(ratios), sd, runs: ratios.length, tolerance: toleranceOf(sd, ratios.length) };
}

/**
 * So much below the floor falls a ratio of the same code only seldom: Student's prediction interval of one more run
 * after `runs` of them (t(runs - 1) sd sqrt(1 + 1 / runs), on logarithms), between the bounds above.
 */
export function toleranceOf(sd: number, runs: number): number {
  const t = jStat.studentt.inv(1 - falseAlarmsOfAnAttempt, runs - 1);
  const below = 1 - Math.exp(-t * sd * Math.sqrt(1 + 1 / runs));
  return Math.min(mostTolerance, Math.max(leastTolerance, below));
}

export const isBelow = (ratio: number, floor: Floor): boolean => ratio < floor.ratio * (1 - floor.tolerance);

/** Above the floor by as much: it may be raised. */
export const isAbove = (ratio: number, floor: Floor): boolean => ratio > floor.ratio / (1 - floor.tolerance);

/** Measures until an attempt is not below the floor, at most {@link attempts} times. The ratios that were measured. */
export async function attempt(
  floor: Floor,
  measure: (attempt: number) => Promise<number>,
): Promise<{ readonly passed: boolean; readonly ratios: readonly number[] }> {
  const ratios: number[] = [];
  while (ratios.length < attempts) {
    const ratio = await measure(ratios.length);
    ratios.push(ratio);
    if (!isBelow(ratio, floor)) return { passed: true, ratios };
  }
  return { passed: false, ratios };
}
