import { differenceInterval } from "../../src/queries/statistics/comparison.ts";
import { sameClass } from "./history.ts";
import { figure, markdownTable } from "./report.ts";
import { type BenchResult, type CaseResult, ratiosOf } from "./result.ts";

/** Smaller changes are not called one: so much do runs of the same code differ beyond what their rounds tell. */
export const leastChange = 0.05;
const confidence = 0.99;

export interface Change {
  readonly name: string;
  /** What was held against what: `ratio by CPU`, or the figure in its unit. */
  readonly of: string;
  readonly before: number;
  readonly after: number;
  /** after / before as more is better, so that 0.8 is a fifth worse, with its interval; NaN of fewer than two rounds. */
  readonly change: number;
  readonly low: number;
  readonly high: number;
  readonly verdict: "better" | "worse" | "same" | "too few rounds";
}

/**
 * Two runs, case by case: ratios where there is a limit, by CPU time where both have it, else the figure itself where the
 * machines are alike. Changed is what Welch's interval (99 %, logarithms of the rounds' ratios) says is not the same and
 * is more than {@link leastChange}. Welch's and not a bootstrap: of five rounds a percentile bootstrap covers far less than
 * it says (compare.test.ts).
 */
export function compareRuns(before: BenchResult, after: BenchResult): Change[] {
  const alike = sameClass(before.machine, after.machine);
  return after.cases.flatMap((now) => {
    const then = before.cases.find(({ name }) => name === now.name);
    return then === undefined ? [] : changesOf(then, now, alike);
  });
}

function changesOf(then: CaseResult, now: CaseResult, alike: boolean): Change[] {
  const { name, unit, better } = now;
  const figures = ({ rounds }: CaseResult): number[] => rounds.map(({ ours }) => ours.figure);
  const ratios = (["figure", "cpu"] as const).flatMap((by) => {
    const [first, second] = [ratiosOf(then, by), ratiosOf(now, by)];
    if (first.length === 0 || second.length === 0) return [];
    return [{ name, of: by === "cpu" ? "ratio by CPU" : "ratio", ...changeOf(first, second, "higher") }];
  });
  if (ratios.length > 0 || !alike || then.unit !== unit) return ratios;
  return [{ name, of: unit, ...changeOf(figures(then), figures(now), better) }];
}

export function changeOf(
  before: readonly number[],
  after: readonly number[],
  better: "higher" | "lower",
): Omit<Change, "name" | "of"> {
  const sign = better === "higher" ? 1 : -1;
  const parts = (values: readonly number[]) => values.map((value) => ({ part: sign * Math.log(value), of: 1 }));
  const { estimate, low, high } = differenceInterval(parts(after), parts(before), confidence);
  const geometric = (values: readonly number[]): number =>
    Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
  const verdict = () => {
    if (Number.isNaN(low)) return "too few rounds";
    if (high < 0 && estimate < Math.log(1 - leastChange)) return "worse";
    if (low > 0 && estimate > -Math.log(1 - leastChange)) return "better";
    return "same";
  };
  return {
    ...{ before: geometric(before), after: geometric(after) },
    ...{ change: Math.exp(estimate), low: Math.exp(low), high: Math.exp(high), verdict: verdict() },
  };
}

export function comparisonTable(changes: readonly Change[]): string {
  const head = ["case", "of", "before", "now", "change (99 % interval)", "verdict"];
  const percent = (ratio: number): string => `${ratio >= 1 ? "+" : ""}${((ratio - 1) * 100).toFixed(1)} %`;
  return markdownTable(
    head,
    changes.map(({ name, of, before, after, change, low, high, verdict }) => {
      const interval = Number.isNaN(low) ? "" : ` (${percent(low)}..${percent(high)})`;
      return [name, of, figure(before), figure(after), `${percent(change)}${interval}`, verdict];
    }),
  );
}

/** What to bear in mind when two runs are compared; nothing where they were measured alike. */
export function reservations(before: BenchResult, after: BenchResult): string[] {
  const said: string[] = [];
  const [then, now] = [before.machine, after.machine];
  if (!sameClass(then, now)) {
    said.push(`another machine (${then.cores} cores, ${then.cpu}): only ratios are compared, and caches differ`);
  }
  for (const what of ["node", "postgres", "redis"] as const) {
    if (then[what] !== now[what]) said.push(`${what} ${then[what]} then, ${now[what]} now`);
  }
  if (before.scale !== after.scale) said.push(`scale ${before.scale} then, ${after.scale} now`);
  for (const [when, { cores, load_average: load }] of [["then", then] as const, ["now", now] as const]) {
    if (load !== null && load > cores / 2)
      said.push(`the machine was busy ${when}: load average ${load} on ${cores} cores`);
  }
  const differing = after.cases.filter((one) => {
    const other = before.cases.find(({ name }) => name === one.name);
    return other !== undefined && JSON.stringify(other.parameters) !== JSON.stringify(one.parameters);
  });
  if (differing.length > 0)
    said.push(`measured with other parameters: ${differing.map(({ name }) => name).join(", ")}`);
  return said;
}
