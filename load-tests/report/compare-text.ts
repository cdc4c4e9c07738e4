import type { Result } from "../runner/result.ts";
import { commitOf, totals } from "./figures.ts";
import { columns } from "./text.ts";

/** What differs between two runs besides what was measured: with a different machine or load, figures say little. */
export function differencesOf(a: Result, b: Result): string[] {
  const pairs: [string, unknown, unknown][] = [
    ["scenario", a.scenario, b.scenario],
    ["users", a.load.users, b.load.users],
    ["seconds", a.load.seconds, b.load.seconds],
    ["loaded", a.target, b.target],
    ["connections", a.connections?.wanted ?? 0, b.connections?.wanted ?? 0],
    ...(["cpu", "cores", "memory_gb", "node", "postgres", "redis"] as const).map((name): [string, unknown, unknown] => [
      name,
      a.machine[name],
      b.machine[name],
    ]),
  ];
  return pairs.filter(([, one, other]) => one !== other).map(([name, one, other]) => `${name}: ${one} and ${other}`);
}

/** Thresholds that both were judged by, and those of one alone. */
export function verdictPairs(a: Result, b: Result) {
  const names = [...new Set([...a.verdicts, ...b.verdicts].map(({ name }) => name))];
  const of = (result: Result, name: string) => result.verdicts.find((verdict) => verdict.name === name) ?? null;
  return names.map((name) => ({ name, a: of(a, name), b: of(b, name) }));
}

export const nameOf = (result: Result): string =>
  `${result.scenario} ${result.startedAt.slice(0, 16)} (${commitOf(result)})`;

export function compareText(a: Result, b: Result): string {
  const differences = differencesOf(a, b);
  const judged = verdictPairs(a, b).map(({ name, a, b }) => [
    name,
    ...[a, b].map((verdict) => (verdict === null ? "-" : `${verdict.value}, ${verdict.met ? "met" : "MISSED"}`)),
  ]);
  return [
    `A: ${nameOf(a)}`,
    `B: ${nameOf(b)}`,
    ...(differences.length === 0
      ? []
      : ["", "These differ, and not by what was measured alone:", ...differences.map((line) => `  ${line}`)]),
    "",
    columns([["threshold", "A", "B"], ...judged]),
    "",
    columns([["figure", "A", "B"], ...totals.map(({ name, value }) => [name, value(a), value(b)])]),
    "",
  ].join("\n");
}
