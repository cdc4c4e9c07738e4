import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Wanted } from "./arguments.ts";
import type { BenchCase } from "./case.ts";
import { attempt, type Floors, floorOf, floorsSchema, isAbove, ratioOf } from "./gate.ts";
import { keep } from "./history.ts";
import { describeMachine } from "./machine.ts";
import { measuring } from "./measure.ts";
import { endAll } from "./processes.ts";
import { figure, markdownTable } from "./report.ts";
import type { CaseResult } from "./result.ts";

const floorsFile = join(import.meta.dirname, "../results/bench-floors.json");

/** The gate, or with `record` the measuring of its floors. False where a ratio fell below its floor. */
export async function runGate(wanted: Wanted, say: (line: string) => void): Promise<boolean> {
  return wanted.what === "record" ? record(wanted, say) : gate(wanted, say);
}

async function gate(wanted: Wanted, say: (line: string) => void): Promise<boolean> {
  const floors = readFloors();
  const startedAt = performance.now();
  const measure = measuring(wanted, say);
  const rows: string[][] = [];
  let good = true;
  for (const one of wanted.cases) {
    const floor = floors.cases[one.name];
    if (floor === undefined) throw new Error(`${one.name} has no floor: npm run bench -- --gate --record 20`);
    const { passed, ratios } = await attempt(floor, async (n) => {
      if (n > 0) say(`${one.name}: below its floor, measured again`);
      return ratioOf(await measure(one));
    });
    good &&= passed;
    const last = ratios.at(-1) ?? Number.NaN;
    const said = passed ? (isAbove(last, floor) ? "ok, the floor may be raised" : "ok") : "SLOWER";
    const least = floor.ratio * (1 - floor.tolerance);
    rows.push([one.name, ratios.map(figure).join(", "), figure(floor.ratio), figure(least), said]);
  }
  console.log(markdownTable(["case", "ratio by CPU", "floor", "fails below", ""], rows));
  say(`took ${Math.round((performance.now() - startedAt) / 1000)} s`);
  if (!good) say("bench: slower than the floor in every attempt. Meant to be? npm run bench -- --gate --record 20");
  return good;
}

/** Each time with everything started anew: much of what differs between runs is settled when a process starts. */
async function record(wanted: Wanted, say: (line: string) => void): Promise<boolean> {
  const machine = describeMachine();
  const ratios = new Map<BenchCase, number[]>(wanted.cases.map((one) => [one, []]));
  for (let n = 0; n < wanted.record; n += 1) {
    say(`run ${n + 1} of ${wanted.record}`);
    const measure = measuring(wanted, say);
    const cases: CaseResult[] = [];
    for (const one of wanted.cases) cases.push(await measure(one));
    await endAll();
    for (const [at, result] of cases.entries()) {
      const one = wanted.cases[at];
      if (one !== undefined) ratios.get(one)?.push(ratioOf(result));
    }
    keep({ at: new Date().toISOString(), command: "--gate --record", scale: "gate", machine, cases }, "local");
  }
  const cases = Object.fromEntries([...ratios].map(([{ name }, all]) => [name, floorOf(all)]));
  const floors: Floors = { recorded_at: new Date().toISOString(), machine, cases };
  writeFileSync(floorsFile, `${JSON.stringify(floorsSchema.parse(floors), null, 2)}\n`);
  console.log(JSON.stringify(cases, null, 2));
  return true;
}

function readFloors(): Floors {
  try {
    return floorsSchema.parse(JSON.parse(readFileSync(floorsFile, "utf8")));
  } catch (error) {
    throw new Error(`${floorsFile} cannot be used (npm run bench -- --gate --record 20): ${(error as Error).message}`);
  }
}
