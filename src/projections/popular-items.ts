import type { Transition } from "../domain/learner/learner-state.ts";
import { fromBytes, toBytes } from "./row-json.ts";

/**
 * How many learners worked on an item, recent ones counting more: a learner's engagement is worth 1 and halves with
 * each half-life of the window. A learner who comes back at t2 after t1 adds 1 - 2^-((t2 - t1) / halfLife), which
 * brings what is left of their 1 back to 1: however busy, a learner counts at most once. What happened before the
 * learner's latest engagement (late, offline) adds nothing.
 *
 * Forward decay (Cormode, Shkapenyuk, Srivastava, Xu 2009): weights grow with time instead of old sums being shrunk, so
 * a tick touches no item. Time is cut into epochs of 4 half-lives; an item keeps one sum for each of its newest epochs,
 * in whole units relative to the epoch's start. Sums of whole numbers do not depend on their order: batches cut
 * elsewhere, partitions merged and parked learners added later give the same counts to the last bit.
 */
export const popularWindows = ["hour", "day", "week", "all"] as const;
export type PopularWindow = (typeof popularWindows)[number];
type DecayingWindow = Exclude<PopularWindow, "all">;

const hourMs = 3_600_000;
export const halfLifeMs: Readonly<Record<DecayingWindow, number>> = {
  hour: hourMs,
  day: 24 * hourMs,
  week: 7 * 24 * hourMs,
};
const decayingWindows = ["hour", "day", "week"] as const;

const halfLivesPerEpoch = 4;
/** What is older than 8 epochs, 32 half-lives, is worth less than 2^-28 and is dropped. */
const epochsKept = 8;
/** Units of a count of 1 at an epoch's start; its end is worth 2^4 as many. 2^53 / 2^24 learners fit into an epoch. */
const unit = 2 ** 20;

/** Sums of one window; `sums[i]` is epoch `newest - i`. */
interface EpochSums {
  newest: number;
  sums: number[];
}

export interface Popularity {
  /** Learners who ever worked on the item: the window "all". */
  learners: number;
  readonly decaying: Readonly<Record<DecayingWindow, EpochSums>>;
}

const noSums = (): EpochSums => ({ newest: 0, sums: [] });
export const newPopularity = (): Popularity => ({
  learners: 0,
  decaying: { hour: noSums(), day: noSums(), week: noSums() },
});

/** Adds one engagement, in place. Times are milliseconds since 1970. */
export function countEngagement(
  popularity: Popularity,
  at: number,
  { previousAt }: NonNullable<Transition["engagement"]>,
): void {
  if (previousAt === null) popularity.learners += 1;
  for (const window of decayingWindows) {
    const halfLife = halfLifeMs[window];
    const worth = previousAt === null ? 1 : at <= previousAt ? 0 : 1 - 2 ** ((previousAt - at) / halfLife);
    const epochMs = halfLivesPerEpoch * halfLife;
    const epoch = Math.floor(at / epochMs);
    const units = Math.round(worth * unit * 2 ** ((at - epoch * epochMs) / halfLife));
    addUnits(popularity.decaying[window], epoch, units);
  }
}

function addUnits(to: EpochSums, epoch: number, units: number): void {
  if (units === 0) return;
  if (to.sums.length === 0) to.newest = epoch;
  if (epoch > to.newest) {
    const gap = Math.min(epoch - to.newest, epochsKept);
    to.sums = [...new Array<number>(gap).fill(0), ...to.sums].slice(0, epochsKept);
    to.newest = epoch;
    trim(to.sums);
  }
  const at = to.newest - epoch;
  if (at >= epochsKept) return;
  while (to.sums.length <= at) to.sums.push(0);
  to.sums[at] = (to.sums[at] ?? 0) + units;
}

/** No zeros at the old end: equal counts have equal bytes. */
function trim(sums: number[]): void {
  while (sums.length > 0 && sums[sums.length - 1] === 0) sums.pop();
}

/** Adds the counts of another partition, in place. */
export function addPopularity(to: Popularity, other: Popularity): void {
  to.learners += other.learners;
  for (const window of decayingWindows) {
    const { newest, sums } = other.decaying[window];
    sums.forEach((units, at) => {
      addUnits(to.decaying[window], newest - at, units);
    });
  }
}

/**
 * What items are ranked by: log2 of the count, moved to 1970 in half-lives (all time: log2 of the learners). It stays
 * the same as time goes by. Minus infinity for a count of nothing.
 */
export function popularRank(popularity: Popularity, window: PopularWindow): number {
  if (window === "all") return Math.log2(popularity.learners);
  const { newest, sums } = popularity.decaying[window];
  let total = 0;
  for (let at = sums.length - 1; at >= 0; at -= 1) total += (sums[at] ?? 0) * 2 ** (-halfLivesPerEpoch * at);
  return Math.log2(total / unit) + newest * halfLivesPerEpoch;
}

/** The decayed count of learners at a time (milliseconds since 1970) that a rank stands for. */
export function popularCount(rank: number, window: PopularWindow, now: number): number {
  return window === "all" ? 2 ** rank : 2 ** (rank - now / halfLifeMs[window]);
}

type PopularityJson = [learners: number, ...windows: number[][]];

export function encodePopularity({ learners, decaying }: Popularity): Buffer {
  const json: PopularityJson = [learners];
  for (const window of decayingWindows) json.push([decaying[window].newest, ...decaying[window].sums]);
  return toBytes(json);
}

export function decodePopularity(bytes: Buffer): Popularity {
  const [learners, ...windows] = fromBytes(bytes) as PopularityJson;
  const popularity = newPopularity();
  popularity.learners = learners;
  decayingWindows.forEach((window, at) => {
    const [newest = 0, ...sums] = windows[at] ?? [];
    Object.assign(popularity.decaying[window], { newest, sums });
  });
  return popularity;
}
