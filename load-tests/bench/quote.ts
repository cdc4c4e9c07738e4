import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { betweenComments } from "../quoted.ts";
import { quotedFile, readResult } from "./history.ts";
import { figure, markdownTable, tableOf } from "./report.ts";
import { type BenchResult, type CaseResult, summaryOf, type Target, verdictOf } from "./result.ts";

/*
 * What documents say of how fast it is comes from the saved run alone: between two comments in each of them stands what is
 * written here, and quote.test.ts fails where it is not what bench.json says.
 */

const root = join(import.meta.dirname, "../..");
const [begins, ends] = [
  "<!-- from load-tests/results/bench.json: npm run bench -- --quote -->",
  "<!-- end of that -->",
];
export const quoting: Readonly<Record<string, (result: BenchResult) => string>> = {
  "README.md": (result) => `${aboutRun(result)}\n\n${shortTable(result)}`,
  "docs/performance.md": (result) => `${aboutRun(result)}\n\n${tableOf(result.cases)}`,
};

/** Writes the saved run's figures into the documents; those that changed. */
export function quote(): string[] {
  const result = readResult(quotedFile);
  return Object.keys(quoting).filter((document) => {
    const file = join(root, document);
    const text = readFileSync(file, "utf8");
    const now = withQuote(text, document, result);
    if (now !== text) writeFileSync(file, now);
    return now !== text;
  });
}

/** The document's text with the figures of the run in it. */
export function withQuote(text: string, document: string, result: BenchResult): string {
  const made = quoting[document];
  const quoted = made === undefined ? null : betweenComments(text, { begins, ends }, made(result));
  if (quoted === null) throw new Error(`${document} has no place for figures: ${begins}`);
  return quoted;
}

function aboutRun({ at, command, machine }: BenchResult): string {
  const { cores, cpu, node, postgres, redis, load_average: load } = machine;
  const commit =
    machine.commit === null ? "" : `, commit ${machine.commit.slice(0, 10)}${machine.dirty ? " and changes" : ""}`;
  const busy = load === null ? "" : `, load average ${load} when it started`;
  return (
    `Saved run of ${at.slice(0, 10)}: \`${command}\` on ${cores} cores of an ${cpu}, engines, server and load generator side by ` +
    `side; Node ${node.slice(1)}, PostgreSQL ${postgres}, Redis ${redis}${commit}${busy}. Medians of the rounds, each by itself.`
  );
}

/** Cases with a target, and what a reader asks of each. */
function shortTable({ cases }: BenchResult): string {
  const rows = cases
    .filter(({ target }) => target !== null)
    .map((one) => {
      const { ours, limit, ratio, cpuRatio } = summaryOf(one);
      const measured = `${figure(ours.median)} ${one.unit}`;
      const beside = limit === null ? "" : `${one.limit}: ${figure(limit.median)}`;
      const ratios = ratio === null ? "" : figure(ratio.median);
      return [one.title, measured, beside, ratios, cpuRatio === null ? "" : figure(cpuRatio.median), targetOf(one)];
    });
  return markdownTable(["figure", "measured", "beside it, same run", "ratio", "by CPU time", "target"], rows);
}

function targetOf(one: CaseResult): string {
  const verdict = verdictOf(one);
  const wanted = (target: Target): string => {
    if ("below" in target) return `< ${figure(target.below)} ${one.unit}`;
    if ("atLeast" in target) return `>= ${figure(target.atLeast)} ${one.unit}`;
    return `>= ${target.ratio}${target.by === "cpu" ? " by CPU time" : ""}`;
  };
  return one.target === null ? "" : `${wanted(one.target)}, ${verdict}`;
}
