import { z } from "zod";
import { type Spread, spreadOf } from "./statistics.ts";

/*
 * A run of the bench as it is kept: JSON with every round of every case. Read again for the comparison of two runs, for
 * the README's table, and by the capacity model.
 */

/** What one side of a case did in one round. */
export const sampleSchema = z.object({
  /** In the unit of the case. */
  figure: z.number(),
  /**
   * Microseconds of CPU for each operation, of the processes that the case is about: the server, say, and neither the load
   * generator nor the engines. Null where it means nothing or the system does not tell.
   */
  cpuUs: z.number().nullable(),
  /** More that was seen, for context, units last: `{ latency_p99_ms: 3 }`. */
  context: z.record(z.string(), z.number()).exactOptional(),
});
export type Sample = z.infer<typeof sampleSchema>;

export const targetSchema = z.union([
  /** Of the ratio to the limit: of the figure, or of CPU time where the load generator may be what is slow. */
  z.object({ ratio: z.number(), by: z.enum(["figure", "cpu"]) }),
  /** Of the figure itself. */
  z.object({ below: z.number() }),
  z.object({ atLeast: z.number() }),
]);
export type Target = z.infer<typeof targetSchema>;

/** Ours and the limit as they were measured one after the other. */
export const pairedRoundSchema = z.object({ ours: sampleSchema, limit: sampleSchema.nullable() });
export type PairedRound = z.infer<typeof pairedRoundSchema>;

export const caseResultSchema = z.object({
  name: z.string(),
  title: z.string(),
  limit: z.string().nullable(),
  unit: z.string(),
  better: z.enum(["higher", "lower"]),
  target: targetSchema.nullable(),
  /** Of a round. */
  seconds: z.number(),
  parameters: z.record(z.string(), z.union([z.number(), z.string()])),
  rounds: z.array(pairedRoundSchema).min(1),
  note: z.string().exactOptional(),
});
export type CaseResult = z.infer<typeof caseResultSchema>;

export const scaleSchema = z.enum(["full", "quick", "gate"]);
export type Scale = z.infer<typeof scaleSchema>;

export const machineSchema = z.object({
  cores: z.int(),
  cpu: z.string(),
  memory_gb: z.number(),
  system: z.string(),
  node: z.string(),
  postgres: z.string(),
  redis: z.string(),
  /** Of the last minute, when the run started: what else the machine was doing. Null in a run of before it was asked for. */
  load_average: z.number().nullable(),
  /** Of the code that was measured; null outside a clone, and in such a run. */
  commit: z.string().nullable(),
  /** Files differed from the commit. */
  dirty: z.boolean(),
});
export type Machine = z.infer<typeof machineSchema>;

export const benchResultSchema = z.object({
  /** When it ended. */
  at: z.iso.datetime(),
  command: z.string(),
  scale: scaleSchema,
  machine: machineSchema,
  cases: z.array(caseResultSchema),
});
export type BenchResult = z.infer<typeof benchResultSchema>;

/**
 * How near each round came to the limit: 1 is as good as the limit, less is worse, whether more or less of the figure is
 * better. Of the figure, or of CPU time. Empty where nothing was measured.
 */
export function ratiosOf({ rounds, better }: Pick<CaseResult, "rounds" | "better">, by: "figure" | "cpu"): number[] {
  return rounds.flatMap(({ ours, limit }) => {
    if (limit === null) return [];
    if (by === "cpu") return ours.cpuUs === null || limit.cpuUs === null ? [] : [limit.cpuUs / ours.cpuUs];
    return [better === "higher" ? ours.figure / limit.figure : limit.figure / ours.figure];
  });
}

/** The case's figures over its rounds. */
export interface Summary {
  readonly ours: Spread;
  readonly limit: Spread | null;
  readonly ratio: Spread | null;
  readonly cpuUs: Spread | null;
  readonly cpuRatio: Spread | null;
}

export function summaryOf(result: CaseResult): Summary {
  const { rounds } = result;
  const spread = (values: readonly number[]): Spread | null => (values.length === 0 ? null : spreadOf(values));
  return {
    ours: spreadOf(rounds.map(({ ours }) => ours.figure)),
    limit: spread(rounds.flatMap(({ limit }) => (limit === null ? [] : [limit.figure]))),
    ratio: spread(ratiosOf(result, "figure")),
    cpuUs: spread(rounds.flatMap(({ ours }) => (ours.cpuUs === null ? [] : [ours.cpuUs]))),
    cpuRatio: spread(ratiosOf(result, "cpu")),
  };
}

export type Verdict = "met" | "missed" | "";

export function verdictOf(result: CaseResult): Verdict {
  const { target } = result;
  if (target === null) return "";
  const { ours, ratio, cpuRatio } = summaryOf(result);
  if ("below" in target) return ours.median < target.below ? "met" : "missed";
  if ("atLeast" in target) return ours.median >= target.atLeast ? "met" : "missed";
  const judged = target.by === "cpu" ? cpuRatio : ratio;
  return judged !== null && judged.median >= target.ratio ? "met" : "missed";
}
