// npm run bench [-- --quick --only next,projection --rounds 5 --seconds 8 --save]
// npm run bench -- --long     the embedded default over a long time: embedded-long-run.ts
//
// Measures Proximal on PostgreSQL and Redis, and beside each figure, in the same run and in turn with it, the least
// that could do the same work. A ratio says more than a figure: it holds on another machine. What a case is: case.ts.

import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { BenchCase, Scale } from "./case.ts";
import { benchCases } from "./cases.ts";
import { describeMachine } from "./machine.ts";
import { endAll } from "./processes.ts";
import { type BenchResult, type CaseResult, figure, ratiosOf, tableOf, verdictOf } from "./report.ts";
import { runCase } from "./run-case.ts";
import { benchSetting } from "./setting.ts";

const usual: Readonly<Record<Scale, { readonly rounds: number; readonly seconds: number }>> = {
  full: { rounds: 5, seconds: 8 },
  quick: { rounds: 2, seconds: 3 },
  gate: { rounds: 5, seconds: 1 },
};
const learners = 1_000;

interface Wanted {
  readonly cases: readonly BenchCase[];
  readonly scale: Scale;
  readonly seconds: number | null;
  readonly rounds: number | null;
  readonly save: boolean;
}

function readArguments(): Wanted {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      seconds: { type: "string" },
      rounds: { type: "string" },
      only: { type: "string" },
      save: { type: "boolean", default: false },
    },
  });
  const number = (given: string | undefined): number | null => {
    if (given === undefined) return null;
    const value = Number(given);
    if (!Number.isInteger(value) || value < 1) throw new Error(`"${given}" is not a whole number from 1 on`);
    return value;
  };
  const scale = values.quick ? "quick" : "full";
  const cases =
    values.only === undefined
      ? benchCases.filter(({ notIn }) => notIn?.includes(scale) !== true)
      : values.only.split(",").map(caseNamed);
  return { cases, scale, seconds: number(values.seconds), rounds: number(values.rounds), save: values.save };
}

function caseNamed(name: string): BenchCase {
  const found = benchCases.find((each) => each.name === name);
  if (found === undefined)
    throw new Error(`--only ${name}: there are ${benchCases.map((each) => each.name).join(", ")}`);
  return found;
}

async function measure(wanted: Wanted): Promise<CaseResult[]> {
  const { scale } = wanted;
  const shared = benchSetting(learners, say);
  const results: CaseResult[] = [];
  for (const one of wanted.cases) {
    const seconds = wanted.seconds ?? one.seconds?.[scale] ?? usual[scale].seconds;
    const rounds = wanted.rounds ?? one.rounds?.[scale] ?? usual[scale].rounds;
    const startedAt = performance.now();
    say(`${one.name}: ${one.title}, ${rounds} rounds`);
    const result = await runCase(one, { ...shared, scale, seconds, rounds }, (round, pair) => {
      const [ratio] = ratiosOf({ ...one, seconds, parameters: {}, rounds: [pair] }, "figure");
      const against = pair.limit === null ? "" : `, limit ${figure(pair.limit.figure)}, ratio ${figure(ratio ?? 0)}`;
      say(`  ${round + 1}/${rounds}  ${figure(pair.ours.figure)} ${one.unit}${against}`);
    });
    say(`  took ${Math.round((performance.now() - startedAt) / 1000)} s`);
    results.push(result);
  }
  return results;
}

function save(result: BenchResult, commit: boolean): void {
  const folder = fileURLToPath(new URL("../results/", import.meta.url));
  const local = `${folder}local/`;
  mkdirSync(local, { recursive: true });
  const name = `bench-${result.at.slice(0, 19).replaceAll(":", "")}.json`;
  const json = `${JSON.stringify(result, null, 2)}\n`;
  writeFileSync(`${local}${name}`, json);
  if (commit) writeFileSync(`${folder}bench.json`, json);
  say(`written to load-tests/results/${commit ? "bench.json" : `local/${name}`}`);
}

const say = (line: string): void => console.error(line);

async function bench(): Promise<void> {
  const wanted = readArguments();
  const machine = describeMachine();
  for (const [name, value] of Object.entries(machine)) console.log(`${name}: ${value}`);
  process.once("SIGINT", () => void endAll().finally(() => process.exit(130)));
  try {
    const cases = await measure(wanted);
    const command = ["npm run bench --", ...process.argv.slice(2)].join(" ");
    save({ at: new Date().toISOString(), command, machine, cases }, wanted.save);
    console.log(tableOf(cases));
    if (cases.some((one) => verdictOf(one) === "missed")) process.exitCode = 1;
  } finally {
    await endAll();
  }
}

if (process.argv.includes("--long")) await import("./embedded-long-run.ts");
else await bench();
