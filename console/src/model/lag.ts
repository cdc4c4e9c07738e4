import type { LagAnswer } from "../api/answers.ts";

type Row = LagAnswer["projections"][number];

export const rowName = ({ projection, partition }: Pick<Row, "projection" | "partition">): string =>
  `${projection}/${partition}`;

export interface Worst {
  readonly events: number;
  /** Age of the oldest event that somebody has not folded in. */
  readonly seconds: number;
  /** Projections that never started: stale, not caught up. */
  readonly neverStarted: number;
  /** The one that is behind by most; null where nothing is behind. */
  readonly name: string | null;
}

/** The slowest of all. */
export function worstOf(rows: readonly Row[]): Worst {
  const neverStarted = rows.filter(({ started }) => !started).length;
  const [worst] = rows
    .filter(({ behindEvents }) => behindEvents > 0)
    .toSorted((a, b) => b.behindSeconds - a.behindSeconds || b.behindEvents - a.behindEvents);
  if (worst === undefined) return { events: 0, seconds: 0, neverStarted, name: null };
  return { events: worst.behindEvents, seconds: worst.behindSeconds, neverStarted, name: rowName(worst) };
}

/** Seconds behind of each projection: that of its slowest partition. */
export function secondsByProjection(rows: readonly Row[]): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  for (const { projection, behindSeconds } of rows) {
    seconds.set(projection, Math.max(seconds.get(projection) ?? 0, behindSeconds));
  }
  return seconds;
}

/** Learners' events a second that came in and that were folded, over all partitions; null where nobody knows. */
export function throughput(rows: readonly Row[]): ReadonlyMap<"in" | "folded", number | null> {
  const learners = rows.filter(({ projection }) => projection === "learners");
  return new Map([
    ["in", sumOf(learners.map(({ rateIn }) => rateIn))],
    ["folded", sumOf(learners.map(({ rateOut }) => rateOut))],
  ]);
}

function sumOf(rates: readonly (number | null)[]): number | null {
  const known = rates.filter((rate) => rate !== null);
  return known.length === 0 ? null : known.reduce((sum, rate) => sum + rate, 0);
}

/** The longest of the times to drain; null where one of them is not known, or will not. */
export function longestDrain(rows: readonly Row[]): number | null {
  let longest = 0;
  for (const { secondsToDrain } of rows) {
    if (secondsToDrain === null) return null;
    longest = Math.max(longest, secondsToDrain);
  }
  return longest;
}
