import type { Difference } from "../statistics/comparison.ts";
import type { Estimate } from "../statistics/intervals.ts";
import type { ExperimentInLog } from "./experiments-in-log.ts";
import { type MeasureName, measures } from "./learner-figures.ts";
import type { ExperimentResults } from "./results.ts";

/** Header and rows of a table for people. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export function experimentsTable(experiments: readonly ExperimentInLog[]): Table {
  return {
    header: ["experiment", "track", "status", "since", "until", "arms"],
    rows: experiments.map(({ experimentId, trackId, status, startedAt, endedAt, arms }) => [
      ...[experimentId, trackId, status, startedAt.slice(0, 16), endedAt?.slice(0, 16) ?? ""],
      arms.map(({ arm, share }) => `${arm} ${short(share * 100)} %`).join(", "),
    ]),
  };
}

const names = Object.keys(measures) as MeasureName[];

/** A row for each arm and measure. */
export function resultsTable({ arms }: ExperimentResults): Table {
  return {
    header: ["", "arm", "learners", "estimate", "95 %", "less control", "95 %, one look", "95 %, at every look", ""],
    rows: names.flatMap((name) =>
      arms.map(({ arm, learners, measures: estimates, differences }, at) => {
        const difference = differences === null ? null : differences[name];
        return [
          ...[at === 0 ? measures[name].title : "", arm, learners],
          ...[short(estimates[name].estimate), between(estimates[name].low, estimates[name].high)],
          ...(difference === null
            ? ["", "", "", ""]
            : [
                signed(difference.estimate),
                between(difference.low, difference.high),
                between(difference.alwaysLow, difference.alwaysHigh),
                verdict(name, difference),
              ]),
        ];
      }),
    ),
  };
}

/** Told only of what holds at every look. */
function verdict(name: MeasureName, { alwaysLow, alwaysHigh }: Difference): string {
  const { better } = measures[name];
  if (!(alwaysLow > 0 || alwaysHigh < 0)) return "";
  if (better === null) return alwaysLow > 0 ? "more" : "less";
  return alwaysLow > 0 === (better === "more") ? "better" : "worse";
}

/** Estimates as JSON has them: no number is null. */
export function resultsJson(results: ExperimentResults): object {
  return {
    ...results,
    arms: results.arms.map(({ measures: estimates, differences, ...arm }) => ({
      ...arm,
      measures: figuresJson(estimates),
      differences: differences === null ? null : figuresJson(differences),
    })),
  };
}

function figuresJson(figures: Readonly<Record<MeasureName, Estimate>>): object {
  return Object.fromEntries(
    names.map((name) => [name, { title: measures[name].title, ...numbersJson(figures[name]) }]),
  );
}

/** JSON has no NaN. */
export function numbersJson<T extends object>(numbers: T): object {
  return Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [
      name,
      typeof value === "number" && !Number.isFinite(value) ? null : value,
    ]),
  );
}

/** Three digits that tell something. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "-";
  return String(Number(value.toPrecision(3)));
}
export const signed = (value: number): string => `${value > 0 ? "+" : ""}${short(value)}`;
export const between = (low: number, high: number): string =>
  Number.isFinite(low) && Number.isFinite(high) ? `${short(low)} to ${short(high)}` : "-";
