import type { Machine } from "./machine.ts";
import type { Spread } from "./statistics.ts";

/** One line of the table: a figure, and what it was held against in the same run. */
export interface Measurement {
  readonly name: string;
  readonly unit: string;
  readonly ours: Spread;
  /** The same work done in the least way that can do it; null where there is no such limit. */
  readonly limit: Spread | null;
  /** ours / limit of each round, where there is a limit. */
  readonly ratio: Spread | null;
  /** What the ratio, or the figure itself where there is no limit, has to reach; null for a figure given for context. */
  readonly target: { readonly atLeast?: number; readonly below?: number } | null;
  readonly note?: string;
}

export interface BenchResult {
  readonly at: string;
  readonly command: string;
  readonly machine: Machine;
  readonly settings: object;
  readonly measurements: readonly Measurement[];
}

export type Verdict = "met" | "missed" | "";

export function verdictOf({ ours, ratio, target }: Measurement): Verdict {
  if (target === null) return "";
  const value = (ratio ?? ours).median;
  const met =
    (target.atLeast === undefined || value >= target.atLeast) && (target.below === undefined || value < target.below);
  return met ? "met" : "missed";
}

/** The table as Markdown, so that a saved result can be quoted as it stands. */
export function tableOf(measurements: readonly Measurement[]): string {
  const rows = measurements.map((measured) => {
    const { name, unit, ours, limit, ratio, target, note } = measured;
    const wanted = target === null ? "" : target.below === undefined ? `>= ${target.atLeast}` : `< ${target.below}`;
    return `| ${[
      name,
      `${spread(ours)} ${unit}`,
      limit === null ? "" : `${spread(limit)} ${unit}`,
      ratio === null ? "" : spread(ratio),
      wanted,
      verdictOf(measured),
      note ?? "",
    ].join(" | ")} |`;
  });
  const head = ["what", "ours: median (min..max)", "limit, same run", "ratio", "target", "verdict", "note"];
  return [`| ${head.join(" | ")} |`, `|${head.map(() => "---").join("|")}|`, ...rows].join("\n");
}

const spread = ({ median, min, max }: Spread): string => `${figure(median)} (${figure(min)}..${figure(max)})`;

/** Three significant figures: 31,200 or 412 or 3.14 or 0.873. */
function figure(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString("en", { maximumSignificantDigits: 3 }) : "n/a";
}
