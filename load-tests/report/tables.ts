import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { markdownTable } from "../bench/report.ts";
import { betweenComments } from "../quoted.ts";
import { runNames } from "../runner/arguments.ts";
import { kneeOf } from "../runner/read-k6.ts";
import { type Result, readResult } from "../runner/result.ts";
import { commitOf, figure, ms, number, percent } from "./figures.ts";

/** The tables of docs/load-tests.md, made from the results that are committed and from nothing else. */

const folder = fileURLToPath(new URL("../results/", import.meta.url));
const document = fileURLToPath(new URL("../../docs/load-tests.md", import.meta.url));
const begins = "<!-- results: load-tests/run.sh table -->";
const ends = "<!-- end of results -->";

export interface Committed {
  readonly file: string;
  readonly result: Result;
}

/** The latest of each scenario, in the order of the scenarios. */
export async function committedResults(): Promise<Committed[]> {
  const files = (await readdir(folder)).sort();
  const found: Committed[] = [];
  for (const name of runNames) {
    const file = files.findLast((each) => each.startsWith(`${name}-`) && each.endsWith(".json"));
    if (file !== undefined) found.push({ file, result: await readResult(join(folder, file)) });
  }
  return found;
}

export function tablesOf(committed: readonly Committed[]): string {
  if (committed.length === 0) return "No result is committed yet.";
  return [mainTable(committed), ...committed.flatMap(levelTable), madeList(committed)].join("\n\n");
}

function mainTable(committed: readonly Committed[]): string {
  const head = [
    "scenario",
    "users",
    "requests/s",
    "p50",
    "p95",
    "p99",
    "p95 of next",
    "failed",
    "refused",
    "left out",
    "ready made",
    "hit ratio",
    "largest lag",
    "connections",
    "thresholds",
  ];
  const rows = committed.map(({ file, result: { scenario, load, totals, verdicts, connections } }) => [
    `[${scenario}](../load-tests/results/${file})`,
    ...[
      number(load.users),
      figure(totals.perSecond),
      ms(totals.p50),
      ms(totals.p95),
      ms(totals.p99),
      ms(totals.nextP95),
    ],
    ...[
      percent(totals.errorRate),
      number(totals.shed),
      number(totals.dropped),
      percent(totals.readyMade),
      percent(totals.hitRatio),
      figure(totals.lagSecondsMax, " s"),
    ],
    connections === null ? "-" : number(connections.held),
    verdicts.every(({ met }) => met)
      ? "met"
      : `missed: ${verdicts.flatMap(({ name, met }) => (met ? [] : [name])).join(", ")}`,
  ]);
  return markdownTable(head, rows);
}

function levelTable({ result: { levels, scenario } }: Committed): string[] {
  if (levels.length === 0) return [];
  const rows = levels.map((level) => [
    ...[number(level.users), figure(level.stepsPerSecond), figure(level.requestsPerSecond)],
    ...[ms(level.p95), ms(level.p99), ms(level.nextP95), percent(level.errorRate), percent(level.dropped)],
    level.met ? "met" : "missed",
  ]);
  const head = ["users", "steps/s", "requests/s", "p95", "p99", "p95 of next", "failed", "left out", "limits"];
  const knee = kneeOf(levels);
  const found =
    knee === null ? "none of the levels was within the limits" : `${number(knee.users)} users were within the limits`;
  return [`The levels of ${scenario}; ${found}:`, markdownTable(head, rows)];
}

function madeList(committed: readonly Committed[]): string {
  if (committed.length === 0) return "";
  const commands = committed.map(({ result }) => {
    const { command, startedAt, target } = result;
    const { cores, cpu, memory_gb, node, postgres, redis, load_average } = result.machine;
    const busy = load_average === null ? "" : `, load average ${load_average} before`;
    const on = `${cores} cores (${cpu}), ${memory_gb} GB, Node ${node}, PostgreSQL ${postgres}, Redis ${redis}`;
    return `- \`${command}\`: ${startedAt.slice(0, 16).replace("T", " ")}, ${target}, commit ${commitOf(result)}; ${on}${busy}`;
  });
  return ["Everything of a run was on one machine: system, engines, load generator.", "", ...commands].join("\n");
}

/** The document with the tables in their place. */
export function withTables(text: string, tables: string): string {
  const written = betweenComments(text, { begins, ends }, tables);
  if (written === null) throw new Error(`docs/load-tests.md has no "${begins}" and "${ends}"`);
  return written;
}

export const readDocument = (): Promise<string> => readFile(document, "utf8");

export async function writeTables(): Promise<string> {
  const tables = tablesOf(await committedResults());
  await writeFile(document, withTables(await readDocument(), tables));
  return tables;
}
