import { type CaseResult, summaryOf, type Target, verdictOf } from "./result.ts";
import type { Spread } from "./statistics.ts";

/** The table as Markdown, so that a saved result can be quoted as it stands. */
export function tableOf(cases: readonly CaseResult[]): string {
  const rows = cases.map((one) => {
    const { ours, limit, ratio, cpuUs, cpuRatio } = summaryOf(one);
    return [
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
  });
  const measured = ["what", "ours: median (min..max)", "limit, same run", "ratio", "us CPU each", "ratio by CPU"];
  return markdownTable([...measured, "target", "verdict", "note"], rows);
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
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
