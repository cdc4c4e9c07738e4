import type { LearnerIds } from "./ids.ts";
import type { LrRates } from "./lr-types.ts";
import {
  itemWidth,
  type LocalSkill,
  type LrLocal,
  type LrWeights,
  newLocalSkill,
  newLrLocal,
  sharedWidth,
} from "./lr-types.ts";
import { noOutcomes, patternsOf } from "./outcome-pattern.ts";
import type { PairWeights } from "./pair-slots.ts";
import { numbersOfWeight } from "./weight.ts";

export const lrFullName = "lr-full";

/** Outcomes that a pattern holds. */
export const lengths = { learner: 8, skill: 4, item: 4, history: 16 } as const;
/** Of the averages beside that of LR-lite. */
export const decays = { fast: 0.5, slow: 0.98, skillFast: 0.4, skillSlow: 0.92 } as const;

const weightsFrom = (first: number): number => numbersOfWeight * first;
const fast = sharedWidth;
const learnerPattern = fast + 4;
const skillPattern = learnerPattern + patternsOf(lengths.learner);
const itemPattern = skillPattern + patternsOf(lengths.skill);
const repeats = itemPattern + patternsOf(lengths.item);
const repeatBuckets = 8;
const sincePractice = repeats + repeatBuckets;
const timeBuckets = 32;

/** Shared weights after those of LR-lite, in the order in which they are stored; a pattern or bucket b stands at 2 b after its first. */
export const sharedFull = {
  fast: weightsFrom(fast),
  slow: weightsFrom(fast + 1),
  skillFast: weightsFrom(fast + 2),
  skillSlow: weightsFrom(fast + 3),
  learnerPattern: weightsFrom(learnerPattern),
  skillPattern: weightsFrom(skillPattern),
  itemPattern: weightsFrom(itemPattern),
  repeats: weightsFrom(repeats),
  sincePractice: weightsFrom(sincePractice),
} as const;
export const sharedFullWidth = sincePractice + timeBuckets;

/** Weights of an item after that of LR-lite: where the learner's last answer to it was wrong or right, and of `recent`. */
export const ofItem = {
  afterWrong: weightsFrom(itemWidth),
  afterRight: weightsFrom(itemWidth + 1),
  recent: weightsFrom(itemWidth + 2),
} as const;
export const itemFullWidth = itemWidth + 3;

/** 0, 1, 2, 3, up to 5, up to 8, up to 16, more answers to the item before. */
export function repeatBucket(attempts: number): number {
  if (attempts <= 3) return attempts;
  if (attempts <= 5) return 4;
  if (attempts <= 8) return 5;
  return attempts <= 16 ? 6 : 7;
}

/** Seconds since 1970; 0 where the time is not known. */
export const secondsOf = (at: number | null | undefined): number =>
  at == null || at < 1000 ? 0 : Math.floor(at / 1000);

/** Binary logarithm of the seconds between two times, one up; -1 where one of them is not known. */
export function timeBucket(now: number, before: number): number {
  if (now === 0 || before === 0) return -1;
  const passed = Math.min(now - before, 2 ** 31 - 1);
  return passed <= 0 ? 0 : 32 - Math.clz32(passed);
}

export interface LrFullWeights extends LrWeights {
  readonly pairs: PairWeights;
}

/** Units and whole numbers as in LocalSkill; patterns as in outcome-pattern.ts. */
export interface FullSkill extends LocalSkill {
  fast: number;
  slow: number;
  pattern: number;
  /** The last 16 outcomes, as a pattern: no prediction uses it, but most of the rest follows from it when it is stored. */
  history: number;
  /** Seconds since 1970 of the last answer; 0 where that is not known. */
  at: number;
}

export interface LrFullLocal extends LrLocal<FullSkill> {
  fast: number;
  slow: number;
  pattern: number;
  /** By the item's number, beside `items`. */
  readonly itemPatterns: number[];
}

export const newFullSkill = (): FullSkill => ({
  ...newLocalSkill(),
  fast: 0,
  slow: 0,
  pattern: noOutcomes,
  history: noOutcomes,
  at: 0,
});

export const newLrFullLocal = (ids: LearnerIds): LrFullLocal => ({
  ...newLrLocal(ids),
  skills: [],
  fast: 0,
  slow: 0,
  pattern: noOutcomes,
  itemPatterns: [],
});

export interface LrFullRates extends LrRates {
  readonly pattern: number;
  readonly itemOutcome: number;
  readonly itemRecent: number;
  readonly pair: number;
}
