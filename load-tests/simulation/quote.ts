import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { betweenComments } from "../quoted.ts";

/*
 * What docs/simulation.md says of the policies comes from the saved run alone:
 *
 *   npx proximal simulate --first-seed 101 --json > run.json
 *   node load-tests/simulation/quote.ts run.json
 *
 * saves the run as load-tests/results/simulate.json (`npx biome check --write` it) and writes its tables into the document; without a
 * file only the latter.
 */

const root = join(import.meta.dirname, "../..");
export const savedFile = join(root, "load-tests/results/simulate.json");
export const document = join(root, "docs/simulation.md");
const comments = {
  begins: "<!-- from load-tests/results/simulate.json: node load-tests/simulation/quote.ts -->",
  ends: "<!-- end of that -->",
};

const estimate = z.object({ estimate: z.number().nullable(), low: z.number().nullable(), high: z.number().nullable() });
const runSchema = z.looseObject({
  seeds: z.number(),
  simulation: z.looseObject({ firstSeed: z.number(), learners: z.number(), generators: z.array(z.string()) }),
  outcomes: z.array(z.object({ generator: z.string(), policy: z.string(), measures: z.record(z.string(), estimate) })),
  comparisons: z.array(
    z.looseObject({
      ...{ generator: z.string(), baseline: z.string(), measure: z.string(), verdict: z.string() },
      ...{ difference: estimate, ofAllCalls: estimate.optional() },
    }),
  ),
  placement: z.array(z.looseObject({ policy: z.string(), items: estimate, length: estimate })),
});
export type SavedRun = z.infer<typeof runSchema>;
type Estimate = z.infer<typeof estimate>;

export const readRun = (file: string): SavedRun => runSchema.parse(JSON.parse(readFileSync(file, "utf8")));

/** The document with the run's tables in it. Throws where it has no place for them. */
export function withTables(text: string, run: SavedRun): string {
  const quoted = betweenComments(text, comments, tablesOf(run));
  if (quoted === null) throw new Error(`docs/simulation.md has no place for figures: ${comments.begins}`);
  return quoted;
}

const columns = [
  ...[
    ["items", "itemsToMastery", 1] as const,
    ["true", "trueAtEnd", 100] as const,
    ["false", "falseAtEnd", 100] as const,
  ],
  ...[["called", "calledAtEnd", 100] as const, ["false calls", "falseCalls", 100] as const],
  ...[["success", "success", 100] as const, ["reviews", "reviews", 100] as const],
  ...[["most given", "mostExposed", 1] as const, ["minutes", "minutesToMastery", 1] as const],
];

function tablesOf(run: SavedRun): string {
  const { seeds, simulation, outcomes, comparisons, placement } = run;
  const last = simulation.firstSeed + seeds - 1;
  const parts = [`Classes ${simulation.firstSeed} to ${last}, ${simulation.learners} learners each.`];
  for (const generator of simulation.generators) {
    const rows = outcomes
      .filter((outcome) => outcome.generator === generator)
      .map(({ policy, measures }) => [policy, ...columns.map(([, name, scale]) => told(measures[name], scale))]);
    parts.push(`**${generator}**`, table(["policy", ...columns.map(([head]) => head)], rows));
  }
  const counts = ["better", "same", "worse"].map(
    (verdict) => comparisons.filter((each) => each.verdict === verdict).length,
  );
  parts.push(
    `Of ${comparisons.length} comparisons ${counts[0]} are better, ${counts[1]} within the interval, ${counts[2]} worse.`,
  );
  const named = comparisons.filter(({ verdict }) => verdict === "worse").map(rowOf);
  if (named.length > 0) parts.push(table(["generator", "baseline", "measure", "difference"], named));
  const ofAll = comparisons.filter(({ ofAllCalls }) => (ofAllCalls?.low ?? 0) > 0);
  parts.push(
    ofAll.length === 0
      ? "Of all calls, however many each made, Proximal's share of false ones is above no baseline's beyond the interval either."
      : "Of all calls, however many each made, Proximal's share of false ones is above these, in points:",
  );
  if (ofAll.length > 0) {
    const rows = ofAll.map(({ generator, baseline, difference, ofAllCalls }) => [
      ...[generator, baseline, told(ofAllCalls, 100), told(difference, 100)],
    ]);
    parts.push(table(["generator", "baseline", "of all calls", "of as many calls"], rows));
  }
  const placed = placement.map(({ policy, items, length }) => [policy, told(items, 1), told(length, 100)]);
  parts.push("Placement:", table(["policy", "items", "of maximum information's, %"], placed));
  return parts.join("\n\n");
}

const rowOf = ({ generator, baseline, measure, difference }: SavedRun["comparisons"][number]): string[] => [
  ...[generator, baseline, measure, told(difference, measure === "itemsToMastery" ? 1 : 100)],
];

function told(value: Estimate | undefined, scale: number): string {
  if (value?.estimate == null) return "";
  const half = value.low === null || value.high === null ? null : (value.high - value.low) / 2;
  const figure = (x: number): string => (x * scale).toFixed(1);
  return half === null ? figure(value.estimate) : `${figure(value.estimate)} ± ${figure(half)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  if (file !== undefined) {
    const run = readRun(file);
    const command = `npx proximal simulate --first-seed ${run.simulation.firstSeed} --json`;
    const machine = "2 shared cores of an AMD EPYC, other work beside it, Node 24";
    const rounded = JSON.stringify({ command, machine, ...run }, (_, value) =>
      typeof value === "number" ? Math.round(value * 1e5) / 1e5 : value,
    );
    writeFileSync(savedFile, `${rounded}\n`);
  }
  writeFileSync(document, withTables(readFileSync(document, "utf8"), readRun(savedFile)));
}
