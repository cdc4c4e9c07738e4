// npm run bench [-- --help]
//
// Measures Proximal on PostgreSQL and Redis, and beside each figure, in the same run and in turn with it, the least
// that could do the same work. A ratio says more than a figure: it holds on another machine. What a case is: case.ts.

import { relative } from "node:path";
import { casesOf, readArguments, usage, type Wanted } from "./arguments.ts";
import { compareRuns, comparisonTable, reservations } from "./compare.ts";
import { recordFloors, runGate } from "./gate-run.ts";
import { keep, previousRun, readResult } from "./history.ts";
import { describeMachine } from "./machine.ts";
import { measuring } from "./measure.ts";
import { endAll } from "./processes.ts";
import { profileCase } from "./profile.ts";
import { quote } from "./quote.ts";
import { tableOf } from "./report.ts";
import { type BenchResult, type CaseResult, verdictOf } from "./result.ts";

const say = (line: string): void => console.error(line);

/** Measures, prints, keeps, and compares with the run before. False where a target was missed. */
async function measure(wanted: Wanted): Promise<boolean> {
  const machine = describeMachine();
  for (const [name, value] of Object.entries(machine)) console.log(`${name}: ${value}`);
  const before = beforeOf(wanted, machine);
  const one = measuring(wanted, say);
  const cases: CaseResult[] = [];
  for (const each of wanted.cases) cases.push(await one(each));
  const command = ["npm run bench --", ...process.argv.slice(2)].join(" ");
  const result: BenchResult = { at: new Date().toISOString(), command, scale: wanted.scale, machine, cases };
  const whole = wanted.cases.length === casesOf(undefined, "full").length;
  for (const file of keep(result, wanted.save ? (whole ? "quoted" : "history") : "local"))
    say(`written to ${shown(file)}`);
  if (wanted.save && whole) for (const document of quote()) say(`its figures are in ${document} now`);
  console.log(tableOf(cases));
  if (before !== null) printComparison(before, result);
  return cases.every((each) => verdictOf(each) !== "missed");
}

function beforeOf({ against, scale }: Wanted, machine: BenchResult["machine"]) {
  if (against === "none") return null;
  if (against !== null) return { file: against, result: readResult(against) };
  return previousRun({ scale, machine });
}

function printComparison({ file, result }: { file: string; result: BenchResult }, now: BenchResult): void {
  const commit = result.machine.commit?.slice(0, 10) ?? "no commit";
  console.log(`\nBeside ${shown(file)} (${result.at}, ${commit}${result.machine.dirty ? " and changes" : ""}):\n`);
  for (const line of reservations(result, now)) console.log(`- ${line}`);
  console.log(`\n${comparisonTable(compareRuns(result, now))}`);
}

const shown = (file: string): string => relative(process.cwd(), file);

async function run(wanted: Wanted): Promise<boolean> {
  if (wanted.what === "help") {
    console.log(usage);
    return true;
  }
  if (wanted.what === "quote") {
    const changed = quote();
    say(changed.length === 0 ? "documents say what the saved run says already" : `written: ${changed.join(", ")}`);
    return true;
  }
  if (wanted.compare !== null) {
    const [before, after] = wanted.compare;
    printComparison({ file: before, result: readResult(before) }, readResult(after));
    return true;
  }
  if (wanted.what === "profile") {
    await profileCase(wanted, say);
    return true;
  }
  if (wanted.what === "record") {
    await recordFloors(wanted, say);
    return true;
  }
  if (wanted.what === "gate") return runGate(wanted, say);
  return measure(wanted);
}

async function main(): Promise<void> {
  let stopped = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // Twice means now.
      if (stopped) process.exit(130);
      stopped = true;
      say("stopping what the bench started");
      void endAll().finally(() => process.exit(130));
    });
  }
  try {
    const good = await run(readArguments(process.argv.slice(2)));
    process.exitCode = good ? 0 : 1;
  } catch (error) {
    // A child that was stopped is not what went wrong.
    if (!stopped) say(`bench: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  } finally {
    await endAll();
  }
}

if (process.argv.includes("--long")) await import("./embedded-long-run.ts");
else await main();
