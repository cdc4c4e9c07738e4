// npm run chaos [-- --help]
//
// Breaks a whole running system on purpose, one thing at a time, while users ask and answer: docs/chaos.md.

import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "../../load-tests/bench/machine.ts";
import { wholeNumber } from "../../load-tests/whole-number.ts";
import { quote, resultFile } from "./document.ts";
import { NotInstalled } from "./engines.ts";
import type { Experiment } from "./experiment.ts";
import { experiments } from "./experiments/all.ts";
import { closeConnections } from "./http.ts";
import { availability, availabilityWanted, broken, type ChaosResult, type ExperimentResult } from "./result.ts";
import { openLaboratory, rates, runExperiment, warmUp } from "./run-experiment.ts";
import { type StackWanted, startStack } from "./stack.ts";
import { listOf, summaryOf, tableOf } from "./table.ts";

const usage = `npm run chaos [-- options]     about ${Math.ceil(experiments.length / 3)} minutes

  --only a,b      these experiments, in the order below
  --seed n        chooses what is broken, when, and for how long; default 1
  --size small    without Kafka, a replica and second workers, and so without the experiments that need them
  --rounds n      all of it n times, with seeds n on, each on a new stack
  --save          keep the run as ${relative(process.cwd(), resultFile)}, and its table in docs/chaos.md
  --quote         run nothing; write the kept run's table into docs/chaos.md
  --logs FOLDER   put the processes' logs there at the end

${listOf(experiments)}
`;

const say = (line: string): void => console.error(line);

interface Wanted {
  readonly chosen: readonly Experiment[];
  readonly seed: number;
  readonly rounds: number;
  readonly save: boolean;
  readonly logs: string | null;
  readonly size: StackWanted["size"];
}

function chosenBy(only: string | undefined): readonly Experiment[] {
  if (only === undefined) return experiments;
  const names = only.split(",");
  const unknown = names.filter((name) => !experiments.some((one) => one.name === name));
  if (unknown.length > 0) {
    throw new Error(`no experiment ${unknown.join(", ")}: there are ${experiments.map(({ name }) => name).join(", ")}`);
  }
  return experiments.filter(({ name }) => names.includes(name));
}

async function round({ chosen, logs, size }: Wanted, seed: number) {
  const results: ExperimentResult[] = [];
  const skipped: ChaosResult["skipped"] = [];
  say(`seed ${seed}: starting engines and processes`);
  const stack = await startStack({ size, tell: say });
  try {
    const laboratory = openLaboratory(stack, seed);
    await warmUp(laboratory);
    for (const [at, experiment] of chosen.entries()) {
      const why = experiment.cannot?.(stack) ?? null;
      if (why !== null) {
        skipped.push({ name: experiment.name, why });
        say(`[${at + 1}/${chosen.length}] ${experiment.name}: SKIPPED, ${why}`);
        continue;
      }
      say(`[${at + 1}/${chosen.length}] ${experiment.name}: ${experiment.what}`);
      const result = await runExperiment(experiment, laboratory);
      results.push(result);
      say(`    ${lineOf(result)}`);
    }
  } catch (error) {
    if (logs === null) say(`logs of the processes: ${stack.keepLogs()}`);
    throw error;
  } finally {
    if (logs !== null) stack.keepLogs(join(logs, `seed-${seed}`));
    await stack.stop();
  }
  return { results, skipped };
}

function lineOf(result: ExperimentResult): string {
  const { reads, posts, healed } = result;
  const problems = broken(result);
  const why = reads.failedWithoutRetry === 0 ? "" : `: ${JSON.stringify(reads.failures)}`;
  const answered = `${reads.asked - reads.failed} of ${reads.asked} reads answered (${reads.failedWithoutRetry} needed the retry${why}), p99 ${reads.p99Ms} ms`;
  const well = `well ${Math.max(healed.answersSeconds, healed.postsSeconds, healed.lagSeconds)} s after the repair`;
  return `${answered}; slowest post ${posts.slowestSeconds} s; ${well}; users' process stood still ${result.stallMs} ms; ${problems.length === 0 ? "nothing lost" : problems.join("; ")}`;
}

async function run(wanted: Wanted): Promise<boolean> {
  const { seed, rounds, save } = wanted;
  const machine = describeMachine();
  const all: ExperimentResult[] = [];
  const skipped: ChaosResult["skipped"] = [];
  for (let n = 0; n < rounds; n += 1) {
    const done = await round(wanted, seed + n);
    all.push(...done.results);
    skipped.push(...done.skipped);
  }
  console.log(tableOf(all));
  console.log(`\n${summaryOf(all)}`);
  if (save) {
    const command = ["npm run chaos --", ...process.argv.slice(2)].join(" ");
    const result: ChaosResult = { at: new Date().toISOString(), command, machine, rates, experiments: all, skipped };
    writeFileSync(resultFile, `${JSON.stringify(result, null, 2)}\n`);
    quote();
    say(`written to ${relative(process.cwd(), resultFile)}, and quoted in docs/chaos.md`);
  }
  return all.every((one) => broken(one).length === 0) && availability(all, "failed") >= availabilityWanted;
}

async function main(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      seed: { type: "string", default: "1" },
      rounds: { type: "string", default: "1" },
      save: { type: "boolean", default: false },
      quote: { type: "boolean", default: false },
      size: { type: "string", default: "full" },
      logs: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return true;
  }
  if (values.quote) {
    quote();
    return true;
  }
  const { size, save } = values;
  if (size !== "full" && size !== "small") throw new Error(`--size ${size}: full or small`);
  const [seed, rounds] = [wholeNumber("--seed", values.seed), wholeNumber("--rounds", values.rounds)];
  return run({ chosen: chosenBy(values.only), seed, rounds, save, size, logs: values.logs ?? null });
}

// What was started ends with this process, however it ends: test/support/process-end.ts.
process.once("SIGINT", () => process.kill(process.pid, "SIGTERM"));
try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  const why = error instanceof Error ? error.message : String(error);
  say(error instanceof NotInstalled ? `chaos needs the whole stack: ${why}` : `chaos: ${why}`);
  process.exitCode = 1;
} finally {
  closeConnections();
  // Whatever else stands ends with it.
  process.exit();
}
