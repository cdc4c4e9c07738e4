import jStat from "jstat";
import { z } from "zod";
import { meanOf } from "../../src/queries/statistics/intervals.ts";
import { type Machine, machineSchema, type PairedRound } from "./result.ts";
import { median } from "./statistics.ts";

/*
 * The gate of CI: has a path become dearer than it was? It looks at one number of a case: how much CPU time the limit takes for
 * an operation, for each microsecond that ours takes. What else the machine does only ever adds to either (caches are lost,
 * a core is shared), so each side stands for itself with the cheapest of its rounds. The floor of a case is the median of
 * that number over many runs. A run that falls below it by more than the tolerance is measured again, the rounds
 * together, and fails when it stays there.
 */

/** Measured at most this often before it fails. */
export const attempts = 3;
/** Of runs of the same code, this share may fall below before it is measured again. */
const falseAlarmsOfAnAttempt = 0.02;
/**
 * A tolerance outside of these is none: less is what a compiler's mood and the hour do (runs of CI in other hours than the floors were
 * 5 to 7 % below them), more lets pass what the gate is for.
 */
const leastTolerance = 0.12;
const mostTolerance = 0.15;

const floorSchema = z.object({
  /** Median over the runs. */
  ratio: z.number().positive(),
  /** Standard deviation of its logarithm over the runs: 0.05 is about 5 %. */
  sd: z.number().nonnegative(),
  runs: z.int().min(2),
  /** 0.1: fails below 90 % of the ratio. */
  tolerance: z.number().min(0).max(1),
});
export type Floor = z.infer<typeof floorSchema>;

const floorsSchema = z.object({
  recorded_at: z.iso.datetime(),
  machine: machineSchema,
  cases: z.record(z.string(), floorSchema),
});
export type Floors = z.infer<typeof floorsSchema>;

/** What an operation takes beside another is not the same on every processor: floors of each that they were recorded on. */
export const allFloorsSchema = z.array(floorsSchema);

const sameProcessor = (a: Machine, b: Machine): boolean => a.cpu === b.cpu && a.cores === b.cores;

export const floorsOn = (machine: Machine, all: readonly Floors[]): Floors | undefined =>
  all.find((floors) => sameProcessor(floors.machine, machine));

/** Those of other processors stay. */
export const replacing = (floors: Floors, all: readonly Floors[]): Floors[] => [
  ...all.filter(({ machine }) => !sameProcessor(machine, floors.machine)),
  floors,
];

/** This share of the rounds, the cheapest, stands for a side. */
const cheapest = 1 / 6;

/** CPU time of the limit for an operation / CPU time of ours; NaN where the system does not tell it. */
export function cpuRatioOf(rounds: readonly PairedRound[]): number {
  const cost = (values: readonly (number | null | undefined)[]): number => {
    const known = values.filter((value) => value != null).sort((a, b) => a - b);
    return meanOf(known.slice(0, Math.ceil(known.length * cheapest)));
  };
  return cost(rounds.map(({ limit }) => limit?.cpuUs)) / cost(rounds.map(({ ours }) => ours.cpuUs));
}

export function floorOf(ratios: readonly number[]): Floor {
  const logs = ratios.map(Math.log);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const sd = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1));
  return { ratio: median(ratios), sd, runs: ratios.length, tolerance: toleranceOf(sd, ratios.length) };
}

/**
 * So far below the floor falls a run of the same code only seldom: Student's prediction interval of one more run after
 * `runs` of them (t(runs - 1) sd sqrt(1 + 1 / runs), on logarithms), between the bounds above.
 */
export function toleranceOf(sd: number, runs: number): number {
  const t = jStat.studentt.inv(1 - falseAlarmsOfAnAttempt, runs - 1);
  const below = 1 - Math.exp(-t * sd * Math.sqrt(1 + 1 / runs));
  return Math.min(mostTolerance, Math.max(leastTolerance, below));
}

export const leastOf = (floor: Floor): number => floor.ratio * (1 - floor.tolerance);

export interface Judged {
  /** `unsure`: below, and there was no time to measure it again. */
  readonly verdict: "ok" | "better" | "slower" | "unsure";
  /** After each attempt, of all rounds so far. */
  readonly ratios: readonly number[];
}

/**
 * Measures until the rounds so far are not below the floor, at most {@link attempts} times, and again only while there is
 * time. Throws where CPU time is not told.
 */
export async function judge(
  floor: Floor,
  measure: (attempt: number) => Promise<readonly PairedRound[]>,
  thereIsTime: () => boolean = () => true,
): Promise<Judged> {
  const rounds: PairedRound[] = [];
  const ratios: number[] = [];
  while (ratios.length < attempts) {
    if (ratios.length > 0 && !thereIsTime()) return { verdict: "unsure", ratios };
    rounds.push(...(await measure(ratios.length)));
    const ratio = cpuRatioOf(rounds);
    if (Number.isNaN(ratio)) throw new Error("this system does not tell CPU time: the gate runs on Linux");
    ratios.push(ratio);
    if (ratio >= leastOf(floor))
      return { verdict: ratio > floor.ratio / (1 - floor.tolerance) ? "better" : "ok", ratios };
  }
  return { verdict: "slower", ratios };
}
