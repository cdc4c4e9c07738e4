import { attemptsOf } from "./counts.ts";
import { recentUnit } from "./fixed-point.ts";
import type { Question } from "./learner-model.ts";
import { type Features, valueAt } from "./lr-features.ts";
import {
  type FullSkill,
  type LrFullLocal,
  type LrFullRates,
  type LrFullWeights,
  newFullSkill,
  ofItem,
  repeatBucket,
  secondsOf,
  sharedFull,
  timeBucket,
} from "./lr-full-types.ts";
import { noOutcomes } from "./outcome-pattern.ts";
import { hashBefore, hashOf, type PairWeights, pairsOf, slotOf } from "./pair-slots.ts";
import { numbersOfWeight, step } from "./weight.ts";

export const unseenFull: Readonly<FullSkill> = newFullSkill();

/** What LR-full multiplies weights with beyond the features of LR-lite. */
export interface FullFeatures {
  /** The learner's answers to this item so far, and the pattern of the last of them. */
  readonly itemAttempts: number;
  readonly itemPattern: number;
  /** Of the question, in seconds; 0 where it is not known. */
  readonly now: number;
  /** Slot of the pair of items; -1 for the first answer. */
  readonly itemPair: number;
  /** Of each skill of the question with each of the last answer's: `pairsOfSkill` of them in a row for one. */
  readonly skillPairs: readonly number[];
  readonly pairsOfSkill: number;
}

export function fullFeaturesOf(local: LrFullLocal, question: Question, features: Features<FullSkill>): FullFeatures {
  const { item } = features;
  const before = lastAnswerOf(local);
  return {
    itemAttempts: item < 0 ? 0 : attemptsOf(local.items[item] ?? 0),
    itemPattern: item < 0 ? noOutcomes : (local.itemPatterns[item] ?? noOutcomes),
    now: secondsOf(question.at),
    itemPair: before.item === null ? -1 : slotOf(before.item, hashOf(question.itemId)),
    skillPairs:
      before.skills.length === 0 ? [] : features.skillIds.flatMap((id) => skillSlots(before.skills, hashOf(id))),
    pairsOfSkill: before.skills.length,
  };
}

/** Hashes of the item and the skills answered last, with the outcome; null and none before the first answer. */
export interface LastAnswer {
  readonly item: number | null;
  readonly skills: readonly number[];
}

export function lastAnswerOf({ ids, lastItem, lastSkills, pattern }: LrFullLocal): LastAnswer {
  if (lastItem < 0) return { item: null, skills: [] };
  const correct = (pattern & 1) === 1;
  const skills: number[] = [];
  for (const number of lastSkills) {
    skills.push(hashBefore(pairsOf.skills, hashOf(ids.skills.list[number] as string), correct));
  }
  return { item: hashBefore(pairsOf.items, hashOf(ids.items.list[lastItem] as string), correct), skills };
}

export const skillSlots = (before: readonly number[], hash: number): number[] => before.map((one) => slotOf(one, hash));

/** What LR-full adds to the logit of LR-lite: terms of the learner, of the item, and the mean of those of the skills. */
export function fullLogit(
  weights: LrFullWeights,
  local: LrFullLocal,
  features: Features<FullSkill>,
  full: FullFeatures,
): number {
  const { shared, items, pairs } = weights;
  const { itemPattern, itemAttempts, itemPair, skillPairs, pairsOfSkill, now } = full;
  let sum = learnerTerms(shared, local);
  sum += itemTerms(shared, itemPattern, itemAttempts);
  if (features.itemRow >= 0) sum += ownItemTerms(items.numbers, features.itemRow, itemPattern, features.recent);
  if (itemPair >= 0) sum += pairs.value(itemPair);
  const count = features.skills.length;
  if (count === 0) return sum;
  let means = 0;
  for (let k = 0; k < count; k++) {
    means += skillTerms(shared, features.skills[k] as FullSkill, now);
    means += skillPairTerm(pairs, skillPairs, k * pairsOfSkill, pairsOfSkill);
  }
  return sum + means / count;
}

export function learnerTerms(shared: Float64Array, { pattern, fast, slow }: LrFullLocal): number {
  return (
    valueAt(shared, sharedFull.learnerPattern + numbersOfWeight * pattern) +
    valueAt(shared, sharedFull.fast) * fast * recentUnit +
    valueAt(shared, sharedFull.slow) * slow * recentUnit
  );
}

export function itemTerms(shared: Float64Array, pattern: number, attempts: number): number {
  return (
    valueAt(shared, sharedFull.itemPattern + numbersOfWeight * pattern) +
    valueAt(shared, sharedFull.repeats + numbersOfWeight * repeatBucket(attempts))
  );
}

/** By the item's own weights. */
export function ownItemTerms(
  numbers: Float64Array | Float32Array,
  row: number,
  pattern: number,
  recent: number,
): number {
  const slope = valueAt(numbers, row + ofItem.recent) * recent;
  return pattern === noOutcomes ? slope : slope + valueAt(numbers, row + afterOutcome(pattern));
}

const afterOutcome = (pattern: number): number => ((pattern & 1) === 1 ? ofItem.afterRight : ofItem.afterWrong);

export function skillTerms(shared: Float64Array, own: Readonly<FullSkill>, now: number): number {
  let sum = valueAt(shared, sharedFull.skillPattern + numbersOfWeight * own.pattern);
  sum += valueAt(shared, sharedFull.skillFast) * own.fast * recentUnit;
  sum += valueAt(shared, sharedFull.skillSlow) * own.slow * recentUnit;
  const bucket = timeBucket(now, own.at);
  return bucket < 0 ? sum : sum + valueAt(shared, sharedFull.sincePractice + numbersOfWeight * bucket);
}

/** Mean over the skills of the last answer. */
export function skillPairTerm(pairs: PairWeights, slots: readonly number[], from: number, count: number): number {
  if (count === 0) return 0;
  let sum = 0;
  for (let k = from; k < from + count; k++) sum += pairs.value(slots[k] as number);
  return sum / count;
}

/** One Adagrad step of every weight beyond LR-lite's that the prediction used; after that of LR-lite, which adds the rows. */
export function trainFull(
  weights: LrFullWeights,
  local: LrFullLocal,
  itemId: string,
  features: Features<FullSkill>,
  full: FullFeatures,
  error: number,
  rates: LrFullRates,
): void {
  const { shared, items } = weights;
  const { itemPattern } = full;
  step(shared, sharedFull.learnerPattern + numbersOfWeight * local.pattern, rates.pattern, error);
  step(shared, sharedFull.fast, rates.shared, error * local.fast * recentUnit);
  step(shared, sharedFull.slow, rates.shared, error * local.slow * recentUnit);
  step(shared, sharedFull.itemPattern + numbersOfWeight * itemPattern, rates.pattern, error);
  step(shared, sharedFull.repeats + numbersOfWeight * repeatBucket(full.itemAttempts), rates.pattern, error);
  const row = features.itemRow < 0 ? items.find(itemId) : features.itemRow;
  step(items.numbers, row + ofItem.recent, rates.itemRecent, error * features.recent);
  if (itemPattern !== noOutcomes) {
    step(items.numbers, row + afterOutcome(itemPattern), rates.itemOutcome, error);
  }
  if (full.itemPair >= 0) weights.pairs.step(full.itemPair, rates.pair, error);
  if (features.skills.length > 0) trainSkills(weights, features, full, error / features.skills.length, rates);
}

function trainSkills(
  { shared, pairs }: LrFullWeights,
  features: Features<FullSkill>,
  { now, skillPairs, pairsOfSkill }: FullFeatures,
  share: number,
  rates: LrFullRates,
): void {
  let fast = 0;
  let slow = 0;
  for (const own of features.skills) {
    fast += own.fast * recentUnit;
    slow += own.slow * recentUnit;
    step(shared, sharedFull.skillPattern + numbersOfWeight * own.pattern, rates.pattern, share);
    const bucket = timeBucket(now, own.at);
    if (bucket >= 0) step(shared, sharedFull.sincePractice + numbersOfWeight * bucket, rates.pattern, share);
  }
  step(shared, sharedFull.skillFast, rates.shared, share * fast);
  step(shared, sharedFull.skillSlow, rates.shared, share * slow);
  for (const slot of skillPairs) pairs.step(slot, rates.pair, share / pairsOfSkill);
}
