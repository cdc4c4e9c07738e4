import type { Block, Cell, Column, Section } from "../plots/html-page.ts";
import type { Estimate } from "../statistics/intervals.ts";
import type { ReportContext } from "./fold-log.ts";
import type { ReportName } from "./report-input.ts";

/** What to look at first, and what to do about it. */
export interface Finding {
  readonly what: string;
  readonly todo: string;
  readonly tone: "good" | "warn" | "bad";
}

export interface ReportTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** One report, put into words, plots and tables. */
export interface ReportDocument {
  readonly report: ReportName;
  readonly title: string;
  /** What it is and how it is made, for the head of its page. */
  readonly about: string;
  readonly findings: readonly Finding[];
  readonly sections: readonly Section[];
  /** By file name without its ending. */
  readonly plots: readonly { readonly name: string; readonly svg: string }[];
  /** All rows, for CSV. */
  readonly table: ReportTable;
  /** Those worth a line on a terminal. */
  readonly shortTable: ReportTable;
  /** A little JSON that says the most important. */
  readonly summary: Readonly<Record<string, string | number | null>>;
  /** All figures. */
  readonly result: unknown;
}

export const percent = (share: number): string => `${Math.round(100 * share)} %`;
export const whole = (n: number): string => Math.round(n).toLocaleString("en-US");
export const fixed = (value: number | null, digits = 2): string =>
  value === null || !Number.isFinite(value) ? "–" : value.toFixed(digits);
export const rounded = (value: number | null, digits = 4): number | null =>
  value === null || !Number.isFinite(value) ? null : Math.round(value * 10 ** digits) / 10 ** digits;
export const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** "42 % (31 to 54)" */
export const withInterval = ({ estimate, low, high, n }: Estimate): string =>
  n === 0 || Number.isNaN(estimate)
    ? "–"
    : `${percent(estimate)} (${Math.round(100 * low)} to ${Math.round(100 * high)})`;

export const numeric = (name: string, help?: string): Column => ({
  name,
  numeric: true,
  ...(help === undefined ? {} : { help }),
});

/** The last column of most tables. */
export const whatToDo: Column = { name: "What to do", wide: true };

export function findingsBlock(findings: readonly Finding[]): Block {
  const rows: Cell[][] = findings.map(({ what, todo, tone }) => [{ text: what, tone }, todo]);
  return rows.length === 0
    ? { kind: "text", text: "Nothing stands out." }
    : { kind: "table", caption: "What to look at first", head: [{ name: "What", wide: true }, whatToDo], rows };
}

/** What was counted, in a sentence. */
export function scopeText({
  input,
  interactions,
  answers,
  firstAt,
  lastAt,
  catalogue,
  unreadable,
}: ReportContext): string {
  const of = [
    input.trackId === undefined ? "" : ` in track ${catalogue.tracks.get(input.trackId)?.title ?? input.trackId}`,
    input.skillId === undefined ? "" : ` on ${catalogue.skills.get(input.skillId)?.title ?? input.skillId}`,
    firstAt === null || lastAt === null ? "" : ` from ${day(firstAt)} to ${day(lastAt)}`,
  ].join("");
  const left = unreadable === 0 ? "" : ` ${whole(unreadable)} events could not be read and are left out.`;
  return `${whole(interactions)} interactions, ${whole(answers)} of them answers,${of === "" ? "" : of}.${left}`.replace(
    ",.",
    ".",
  );
}
