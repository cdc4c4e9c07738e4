import { figure as written } from "../bench/report.ts";
import type { Result } from "../runner/result.ts";

/** How figures are written, the same in every report. */

export const number = (value: number): string => value.toLocaleString("en", { maximumFractionDigits: 0 });

/** As the bench writes it; a dash where nothing was measured. */
export const figure = (value: number | null, unit = ""): string => (value === null ? "-" : `${written(value)}${unit}`);

/** Of the code that was loaded. */
export const commitOf = ({ machine: { commit, dirty } }: Result): string =>
  commit === null ? "unknown" : `${commit.slice(0, 10)}${dirty ? " and changes" : ""}`;

export const ms = (value: number | null): string => figure(value, " ms");
export const percent = (value: number | null): string => (value === null ? "-" : figure(100 * value, " %"));

export interface Total {
  readonly name: string;
  readonly value: (result: Result) => string;
}

/** What stands in every table of results. */
export const totals: readonly Total[] = [
  { name: "requests", value: ({ totals }) => number(totals.requests) },
  { name: "requests/s", value: ({ totals }) => figure(totals.perSecond) },
  { name: "p50 of all", value: ({ totals }) => ms(totals.p50) },
  { name: "p95 of all", value: ({ totals }) => ms(totals.p95) },
  { name: "p99 of all", value: ({ totals }) => ms(totals.p99) },
  { name: "slowest", value: ({ totals }) => ms(totals.max) },
  { name: "p50 of next", value: ({ totals }) => ms(totals.nextP50) },
  { name: "p95 of next", value: ({ totals }) => ms(totals.nextP95) },
  { name: "p99 of next", value: ({ totals }) => ms(totals.nextP99) },
  { name: "failed", value: ({ totals }) => `${number(totals.failed)} (${percent(totals.errorRate)})` },
  { name: "refused with Retry-After", value: ({ totals }) => number(totals.shed) },
  { name: "steps", value: ({ totals }) => number(totals.steps) },
  { name: "steps left out", value: ({ totals }) => number(totals.dropped) },
  { name: "interactions accepted", value: ({ totals }) => number(totals.accepted) },
  { name: "lists that were ready made", value: ({ totals }) => percent(totals.readyMade) },
  { name: "hit ratio", value: ({ totals }) => percent(totals.hitRatio) },
  { name: "largest lag", value: ({ totals }) => figure(totals.lagSecondsMax, " s") },
  { name: "caught up after", value: ({ totals }) => figure(totals.drainSeconds, " s") },
  {
    name: "connections held",
    value: ({ connections }) =>
      connections === null ? "-" : `${number(connections.held)} of ${number(connections.wanted)}`,
  },
  { name: "p99 of those connections", value: ({ connections }) => ms(connections?.p99 ?? null) },
];
