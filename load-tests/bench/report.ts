import type { Sample, Target } from "./case.ts";
import type { Machine } from "./machine.ts";
import { type Spread, spreadOf } from "./statistics.ts";

/** Ours and the limit as they were measured one after the other. */
export interface PairedRound {
  readonly ours: Sample;
  readonly limit: Sample | null;
}

/** One case as it was measured: every round, so that whoever reads it can ask what they like. */
export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly limit: string | null;
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly target: Target | null;
  readonly seconds: number;
  readonly parameters: Readonly<Record<string, number | string>>;
  readonly rounds: readonly PairedRound[];
  readonly note?: string;
}

export interface BenchResult {
  readonly at: string;
  readonly command: string;
  readonly machine: Machine;
  readonly cases: readonly CaseResult[];
}

export type Verdict = "met" | "missed" | "";

/**
 * How near each round came to the limit: 1 is as good as the limit, less is worse, whether more or less of the figure is
 * better. Of the figure, or of CPU time. Empty where nothing was measured.
 */
export function ratiosOf({ rounds, better }: CaseResult, by: "figure" | "cpu"): number[] {
  return rounds.flatMap(({ ours, limit }) => {
    if (limit === null) return [];
    if (by === "cpu") return ours.cpuUs === null || limit.cpuUs === null ? [] : [limit.cpuUs / ours.cpuUs];
    return [better === "higher" ? ours.figure / limit.figure : limit.figure / ours.figure];
  });
}

/** The case's figures over its rounds. */
export function summaryOf(result: CaseResult): {
  readonly ours: Spread;
  readonly limit: Spread | null;
  readonly ratio: Spread | null;
  readonly cpuUs: Spread | null;
  readonly cpuRatio: Spread | null;
} {
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

export function verdictOf(result: CaseResult): Verdict {
  const { target } = result;
  if (target === null) return "";
  const { ours, ratio, cpuRatio } = summaryOf(result);
  if ("below" in target) return ours.median < target.below ? "met" : "missed";
  if ("atLeast" in target) return ours.median >= target.atLeast ? "met" : "missed";
  const judged = target.by === "cpu" ? cpuRatio : ratio;
  return judged !== null && judged.median >= target.ratio ? "met" : "missed";
}

/** The table as Markdown, so that a saved result can be quoted as it stands. */
export function tableOf(cases: readonly CaseResult[]): string {
  const rows = cases.map((one) => {
    const { ours, limit, ratio, cpuUs, cpuRatio } = summaryOf(one);
    const cells = [
      one.title,
      `${spread(ours)} ${one.unit}`,
      limit === null ? "" : `${one.limit}: ${spread(limit)}`,
      ratio === null ? "" : spread(ratio),
      cpuUs === null ? "" : spread(cpuUs),
      cpuRatio === null ? "" : spread(cpuRatio),
      targetOf(one.target),
      verdictOf(one),
      one.note ?? "",
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const measured = ["what", "ours: median (min..max)", "limit, same run", "ratio", "us CPU each", "ratio by CPU"];
  const head = [...measured, "target", "verdict", "note"];
  return [`| ${head.join(" | ")} |`, `|${head.map(() => "---").join("|")}|`, ...rows].join("\n");
}

function targetOf(target: Target | null): string {
  if (target === null) return "";
  if ("below" in target) return `< ${target.below}`;
  if ("atLeast" in target) return `>= ${target.atLeast}`;
  return `>= ${target.ratio}${target.by === "cpu" ? " by CPU" : ""}`;
}

const spread = ({ median, min, max }: Spread): string => `${figure(median)} (${figure(min)}..${figure(max)})`;

/** Three significant figures: 31,200 or 412 or 3.14 or 0.873. */
export function figure(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString("en", { maximumSignificantDigits: 3 }) : "n/a";
}
