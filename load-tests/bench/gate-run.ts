import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Wanted } from "./arguments.ts";
import type { BenchCase } from "./case.ts";
import { allFloorsSchema, cpuRatioOf, type Floors, floorOf, floorsOn, judge, leastOf, replacing } from "./gate.ts";
import { keep } from "./history.ts";
import { describeMachine } from "./machine.ts";
import { measuring } from "./measure.ts";
import { endAll } from "./processes.ts";
import { figure, markdownTable } from "./report.ts";
import type { BenchResult, CaseResult, PairedRound } from "./result.ts";

const floorsFile = join(import.meta.dirname, "../results/bench-floors.json");
const howToRecord = "npm run bench -- --gate --record 20";
/** It takes 40 s where nothing else runs. What is not measured or not measured again by then is not judged: the machine is too busy. */
const budgetSeconds = 240;
const tooBusy = "NOT JUDGED: the machine is too busy";
/** A busy machine, where requests fail: no word on whether a path became dearer. Tests say whether it works. */
class NotMeasured extends Error {}

const verdicts = { unsure: tooBusy, ok: "ok", better: "better: the floor may be raised", slower: "SLOWER" };

/** False where a case stayed below its floor. */
export async function runGate(wanted: Wanted, say: (line: string) => void): Promise<boolean> {
  const machine = describeMachine();
  const floors = floorsOn(machine, readFloors());
  if (wanted.slowDown !== null) plantSlowDown(wanted.slowDown, say);
  const startedAt = performance.now();
  const thereIsTime = (): boolean => performance.now() - startedAt < budgetSeconds * 1000;
  const measured: CaseResult[] = [];
  const measure = measuringTwice(wanted, say, (result) => measured.push(result));
  let good = true;

  async function judged(one: BenchCase): Promise<string[]> {
    if (!thereIsTime()) return ["", "", "", tooBusy];
    const floor = floors?.cases[one.name];
    if (floor === undefined) {
      const why = `NOT JUDGED: no floor of ${machine.cores} cores of ${machine.cpu} (${howToRecord})`;
      return [figure(cpuRatioOf(await measure(one))), "", "", why];
    }
    const again = (attempt: number): Promise<readonly PairedRound[]> => {
      if (attempt > 0) say(`${one.name}: below its floor, measured again`);
      return measure(one);
    };
    const { verdict, ratios } = await judge(floor, again, thereIsTime);
    good &&= verdict !== "slower";
    return [ratios.map(figure).join(", then "), figure(floor.ratio), figure(leastOf(floor)), verdicts[verdict]];
  }

  const rows: string[][] = [];
  for (const one of wanted.cases) {
    const cells = await judged(one).catch((error: unknown) => {
      if (!(error instanceof NotMeasured)) throw error;
      return ["", "", "", `NOT JUDGED: ${error.message}`];
    });
    rows.push([one.name, ...cells]);
  }
  keep(resultOf(machine, measured), "local");
  console.log(markdownTable(["case", "ratio by CPU time", "floor", "fails below", ""], rows));
  say(
    `took ${Math.round((performance.now() - startedAt) / 1000)} s, load average ${machine.load_average} at the start`,
  );
  if (!good) say(`bench: dearer than it was, in each of the attempts. Is it meant to be? ${howToRecord}`);
  return good;
}

/** Where a case cannot be measured it is tried once more on engines and servers started anew. */
function measuringTwice(wanted: Wanted, say: (line: string) => void, onResult: (result: CaseResult) => void) {
  let measure = measuring(wanted, say);
  return async (one: BenchCase): Promise<readonly PairedRound[]> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const result = await measure(one);
        onResult(result);
        return result.rounds;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        say(`${one.name}: could not be measured: ${why}`);
        await endAll();
        measure = measuring(wanted, say);
        if (attempt === 2) throw new NotMeasured(why);
      }
    }
  };
}

/** Measures what the gate measures so many times, and makes the floors of it. */
export async function recordFloors(wanted: Wanted, say: (line: string) => void): Promise<void> {
  const machine = describeMachine();
  const ratios = new Map<string, number[]>();
  for (let run = 1; run <= wanted.record; run += 1) {
    say(`run ${run} of ${wanted.record}`);
    // With everything started anew: much of what differs between runs is settled when a process starts.
    const measure = measuring(wanted, say);
    const cases: CaseResult[] = [];
    for (const one of wanted.cases) cases.push(await measure(one));
    await endAll();
    for (const { name, rounds } of cases) ratios.set(name, [...(ratios.get(name) ?? []), cpuRatioOf(rounds)]);
    keep(resultOf(machine, cases), "local");
  }
  const cases = Object.fromEntries([...ratios].map(([name, all]) => [name, floorOf(all)]));
  const floors: Floors = { recorded_at: new Date().toISOString(), machine, cases };
  const all = allFloorsSchema.parse(replacing(floors, readFloors()));
  writeFileSync(floorsFile, `${JSON.stringify(all, null, 2)}\n`);
  const rows = Object.entries(cases).map(([name, { ratio, sd, tolerance }]) => [
    ...[name, figure(ratio), `${figure(100 * sd)} %`, `${figure(100 * tolerance)} %`],
    (ratios.get(name) ?? []).map(figure).join(" "),
  ]);
  console.log(markdownTable(["case", "floor", "spread (1 sd)", "tolerance", "runs"], rows));
}

/** Each `proximal serve` that is started from now on takes so many per cent more CPU for the same work. */
function plantSlowDown(percent: number, say: (line: string) => void): void {
  process.env.BENCH_SLOW_DOWN = String(percent);
  const hook = join(import.meta.dirname, "slow-down-hook.ts");
  process.env.BENCH_NODE_FLAGS = `${process.env.BENCH_NODE_FLAGS ?? ""} --import=${hook}`.trim();
  say(`planted: each server takes ${percent} % more CPU`);
}

function resultOf(machine: BenchResult["machine"], cases: CaseResult[]): BenchResult {
  const command = ["npm run bench --", ...process.argv.slice(2)].join(" ");
  return { at: new Date().toISOString(), command, scale: "gate", machine, cases };
}

function readFloors(): Floors[] {
  if (!existsSync(floorsFile)) return [];
  try {
    return allFloorsSchema.parse(JSON.parse(readFileSync(floorsFile, "utf8")));
  } catch (error) {
    throw new Error(`${floorsFile} cannot be used, make it anew (${howToRecord}): ${(error as Error).message}`);
  }
}
