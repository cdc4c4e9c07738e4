import { parseArgs } from "node:util";
import type { Size } from "../../infra/local/state.ts";
import { type Load, profiles, type ScenarioName, scenarioNames } from "../k6/profiles.ts";

export const personas = "personas";
export type RunName = ScenarioName | typeof personas;
export const runNames: readonly RunName[] = [...scenarioNames, personas];

/** Locust: users that think and come back. */
export const personasUsual: Load = { users: 200, seconds: 120 };

export const usage = `Load tests on this machine: docs/load-tests.md

  run.sh SCENARIO [options]      runs one: ${scenarioNames.join(", ")} (k6), ${personas} (Locust)
  run.sh compare A B [--html F]  two results side by side
  run.sh report RESULT           its report again, as HTML beside it, or as --html says
  run.sh table                   writes the tables of docs/load-tests.md from the results that are committed
  run.sh tools                   installs k6 and Locust, and says where they are

  --users N            simulated users at the most
  --seconds N          of the measured load
  --connections N      keep-alive connections held beside it; 0 for none
  --stack small|full   what is started for it: as npm run up -- --size; small
  --url URL            what runs already instead, on this machine; with --key KEY, and --query-url URL for its queries
  --past N             answers of each user before it begins; 6
  --warm-up N          seconds of asking before it begins; 5
  --sample N           seconds between two looks at the system; 2
  --html FILE          where the report goes; beside the result when left out
  --prometheus         runs one with the rules of infra/prometheus beside it: an alert that fires is a threshold missed
  --save               keeps the result in load-tests/results, which documents quote; else in load-tests/results/local
  --quick              a few users and seconds, to see that it works

Ends with 0 where every threshold was met, with 99 where one was not, with 1 where it could not run.`;

export interface RunArguments {
  readonly command: "run";
  readonly name: RunName;
  readonly load: Load;
  readonly connections: number;
  readonly stack: Size;
  readonly running: { readonly url: string; readonly queryUrl: string; readonly key: string } | null;
  readonly past: number;
  readonly warmUpSeconds: number;
  readonly sampleMs: number;
  /** Whether a Prometheus with the alerts of this repository watches. */
  readonly prometheus: boolean;
  readonly html: string | null;
  readonly save: boolean;
}

export type Arguments =
  | RunArguments
  | { readonly command: "compare"; readonly a: string; readonly b: string; readonly html: string | null }
  | { readonly command: "report"; readonly result: string; readonly html: string | null }
  | { readonly command: "table" | "tools" | "help" };

const text = { type: "string" } as const;
const flag = { type: "boolean", default: false } as const;
const options = {
  ...{ users: text, seconds: text, connections: text, stack: text, url: text, "query-url": text, key: text },
  ...{
    past: text,
    "warm-up": text,
    sample: text,
    html: text,
    save: flag,
    prometheus: flag,
    quick: flag,
    help: { ...flag, short: "h" },
  },
} as const;

/** Throws with one line that says what is wrong. */
export function readArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options });
  const [command, ...rest] = positionals;
  const html = values.html ?? null;
  if (command === undefined || values.help) return { command: "help" };
  const takes = (count: number, what: string): readonly string[] => {
    if (rest.length !== count) throw new Error(`${command} takes ${what}`);
    return rest;
  };
  switch (command) {
    case "compare": {
      const [a = "", b = ""] = takes(2, "two files of results");
      return { command, a, b, html };
    }
    case "report": {
      const [result = ""] = takes(1, "the file of a result");
      return { command, result, html };
    }
    case "table":
    case "tools":
      takes(0, "nothing");
      return { command };
  }
  const name = runNames.find((known) => known === command);
  if (name === undefined)
    throw new Error(`there is no scenario "${command}": ${runNames.join(", ")}; --help says more`);
  takes(0, "options only");
  return { command: "run", name, html, ...loadOf(name, values), ...placeOf(values), ...restOf(values) };
}

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];

function loadOf(name: RunName, values: Values): Pick<RunArguments, "load" | "connections"> {
  const usual = name === personas ? personasUsual : profiles[name].usual;
  const connections = name === personas ? 0 : profiles[name].connections;
  const quick = values.quick === true;
  return {
    load: {
      users: number("users", values.users, quick ? Math.min(100, usual.users) : usual.users, { max: 100_000 }),
      seconds: number("seconds", values.seconds, quick ? 6 : usual.seconds, { max: 86_400 }),
    },
    // Each costs two file descriptors and, from one address, one of 28,000 ports.
    connections: number("connections", values.connections, quick ? Math.min(50, connections) : connections, {
      ...{ min: 0, max: 50_000 },
    }),
  };
}

function placeOf(values: Values): Pick<RunArguments, "stack" | "running"> {
  const { stack = "small", url, key } = values;
  if (stack !== "small" && stack !== "full") throw new Error(`--stack ${stack}: small or full`);
  if (url === undefined) {
    if (key !== undefined || values["query-url"] !== undefined) throw new Error("--key and --query-url go with --url");
    return { stack, running: null };
  }
  if (values.stack !== undefined) throw new Error("give --stack or --url, not both");
  if (key === undefined) throw new Error("--url needs --key: one with the scopes client, author, analyst and operator");
  return { stack, running: { url: trimmed(url), queryUrl: trimmed(values["query-url"] ?? url), key } };
}

function restOf(values: Values): Pick<RunArguments, "past" | "warmUpSeconds" | "sampleMs" | "save" | "prometheus"> {
  const quick = values.quick === true;
  return {
    past: number("past", values.past, 6, { min: 0, max: 1_000 }),
    warmUpSeconds: number("warm-up", values["warm-up"], quick ? 1 : 5, { min: 0, max: 3_600 }),
    sampleMs: 1000 * number("sample", values.sample, quick ? 1 : 2, { max: 600 }),
    save: values.save === true,
    prometheus: values.prometheus === true,
  };
}

const trimmed = (url: string): string => {
  if (!URL.canParse(url)) throw new Error(`${url} is not an address like http://127.0.0.1:3000`);
  return url.replace(/\/+$/, "");
};

function number(
  name: string,
  given: string | undefined,
  usual: number,
  { min = 1, max }: { readonly min?: number; readonly max: number },
): number {
  if (given === undefined) return usual;
  const value = Number(given);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Error(`--${name} ${given}: a whole number from ${min} to ${max}`);
  }
  return value;
}
