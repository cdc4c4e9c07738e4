import { parseArgs } from "node:util";
import { wholeNumber } from "../whole-number.ts";
import type { BenchCase } from "./case.ts";
import { benchCases } from "./cases.ts";
import type { Scale } from "./result.ts";

export const usage = `npm run bench [-- options]

  --quick             about 2 minutes instead of 12: a look, nothing to quote
  --only a,b          these cases: ${benchCases.map(({ name }) => name).join(", ")}
  --rounds n          rounds of each case
  --seconds n         of a round
  --save              keep the run for everybody in results/bench-history/; a run of all cases also as results/bench.json,
                      whose figures are written into the documents that quote them (--quote does that without measuring)
  --against FILE      compare with that run; "none" compares with nothing. Usually with the newest kept one
  --compare A,B       measure nothing, compare two kept runs
  --gate              what CI runs: fails where a ratio fell below its floor (results/bench-floors.json)
  --gate --record n   measure the gate's cases n times, and write the floors from that
  --gate --slow-down p  the same with p % more CPU planted in each server: what the gate has to notice
  --profile CASE      profile the server during a case: a .cpuprofile, and where the time goes; --heap: who allocates
  --long              the embedded default: 1,000,000 events, a restart, 100,000 requests
`;

export interface Wanted {
  readonly what: "measure" | "gate" | "record" | "compare" | "profile" | "quote" | "help";
  readonly cases: readonly BenchCase[];
  readonly scale: Scale;
  readonly seconds: number | null;
  readonly rounds: number | null;
  readonly save: boolean;
  /** A file, "none", or null for the newest kept run. */
  readonly against: string | null;
  readonly compare: readonly [string, string] | null;
  /** Profile what is allocated, not the time. */
  readonly heap: boolean;
  /** Per cent of CPU that each server is made to take more. */
  readonly slowDown: number | null;
  /** Runs that floors are made of. */
  readonly record: number;
}

/** Throws a line for the user where the arguments make no sense. */
export function readArguments(args: readonly string[]): Wanted {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      seconds: { type: "string" },
      rounds: { type: "string" },
      only: { type: "string" },
      save: { type: "boolean", default: false },
      against: { type: "string" },
      compare: { type: "string" },
      gate: { type: "boolean", default: false },
      record: { type: "string" },
      "slow-down": { type: "string" },
      profile: { type: "string" },
      heap: { type: "boolean", default: false },
      quote: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { quick, gate, save, profile, heap } = values;
  const [before, after] = values.compare?.split(",") ?? [];
  if (values.compare !== undefined && (before === undefined || after === undefined)) {
    throw new Error("--compare takes two files with a comma between them");
  }
  for (const option of ["record", "slow-down"] as const) {
    if (values[option] !== undefined && !gate) throw new Error(`--${option} goes with --gate`);
  }
  const scale = gate ? "gate" : quick ? "quick" : "full";
  return {
    what: whatOf(values),
    cases: casesOf(profile ?? values.only, scale),
    ...{ scale, save, heap, against: values.against ?? null },
    seconds: optional("--seconds", values.seconds),
    rounds: optional("--rounds", values.rounds),
    compare: before === undefined || after === undefined ? null : [before, after],
    slowDown: optional("--slow-down", values["slow-down"]),
    record: optional("--record", values.record) ?? 0,
  };
}

function whatOf(
  values: { help: boolean; gate: boolean; quote: boolean } & Partial<Record<"compare" | "record" | "profile", string>>,
) {
  if (values.help) return "help";
  if (values.quote) return "quote";
  if (values.compare !== undefined) return "compare";
  if (values.profile !== undefined) return "profile";
  if (values.gate) return values.record === undefined ? "gate" : "record";
  return "measure";
}

/** Cases of those names, or those that a scale measures unless told otherwise. */
export function casesOf(only: string | undefined, scale: Scale): readonly BenchCase[] {
  if (only !== undefined) return only.split(",").map(caseNamed);
  if (scale === "gate") return benchCases.filter(({ gate }) => gate === true);
  return benchCases.filter(({ notIn }) => notIn?.includes(scale) !== true);
}

function caseNamed(name: string): BenchCase {
  const found = benchCases.find((each) => each.name === name);
  if (found === undefined)
    throw new Error(`no case "${name}": there are ${benchCases.map((each) => each.name).join(", ")}`);
  return found;
}

const optional = (option: string, given: string | undefined): number | null =>
  given === undefined ? null : wholeNumber(option, given);
