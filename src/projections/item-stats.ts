import type { AnswerTransition } from "../domain/learner/learner-state.ts";
import { fromBytes, toBytes } from "./row-json.ts";

/**
 * Sums over all answers to one item in one partition. All are whole numbers, so that their order does not matter:
 * partitions are merged, and a parked learner's answers added later, to the last bit.
 */
export interface ItemSums {
  answers: number;
  /** Learners who answered it. */
  learners: number;
  correct: number;
  /** Answers given with a hint. */
  hinted: number;
  /** Abilities before the answer, in {@link abilityUnit}: sum, sum of squares, sum over the correct answers. */
  ability: number;
  abilitySquared: number;
  abilityCorrect: number;
  /** Answers by duration, see {@link durationBucket}. */
  readonly durations: Map<number, number>;
}

export const newItemSums = (): ItemSums => ({
  answers: 0,
  learners: 0,
  correct: 0,
  hinted: 0,
  ability: 0,
  abilitySquared: 0,
  abilityCorrect: 0,
  durations: new Map(),
});

/** Logits. */
const abilityUnit = 1 / 1024;
/** Logits; a probability of one in ten million. Keeps the squares' sum exact for 30 million answers. */
const largestAbility = 16;

/** Adds one answer, in place. */
export function countAnswer(sums: ItemSums, answer: AnswerTransition): void {
  if (answer.ability === null) throw new Error("an answer that nobody was to count is counted");
  const clamped = Math.max(-largestAbility, Math.min(largestAbility, answer.ability));
  const ability = Math.round(clamped / abilityUnit);
  sums.answers += 1;
  if (answer.first) sums.learners += 1;
  if (answer.hinted) sums.hinted += 1;
  sums.ability += ability;
  sums.abilitySquared += ability * ability;
  if (answer.correct) {
    sums.correct += 1;
    sums.abilityCorrect += ability;
  }
  if (answer.durationMs !== null) {
    const bucket = durationBucket(answer.durationMs);
    sums.durations.set(bucket, (sums.durations.get(bucket) ?? 0) + 1);
  }
}

const bucketsPerDoubling = 4;
const lastBucket = 127;

/** Bucket b holds 2^(b/4) up to 2^((b+1)/4) milliseconds: a median read from it is within 9 % of the true one. */
export function durationBucket(ms: number): number {
  return Math.min(lastBucket, Math.max(0, Math.floor(bucketsPerDoubling * Math.log2(Math.max(1, ms)))));
}

/** What an item's answers say. null where nothing is known yet. Difficulty is not here: the published model has it. */
export interface ItemStats {
  readonly attempts: number;
  readonly learners: number;
  readonly correct: number;
  readonly successRate: number | null;
  /** 95 %, Wilson 1927. */
  readonly successInterval: readonly [low: number, high: number] | null;
  readonly medianDurationMs: number | null;
  /** Share of answers given with a hint. */
  readonly hintRate: number | null;
  /**
   * Point-biserial correlation, -1..1, of a correct answer with the learner's ability before it. About 0 or below: the
   * item does not tell who can from who cannot.
   */
  readonly discrimination: number | null;
}

export function itemStats(sums: ItemSums): ItemStats {
  const { answers, learners, correct, hinted } = sums;
  return {
    attempts: answers,
    learners,
    correct,
    successRate: answers === 0 ? null : correct / answers,
    successInterval: answers === 0 ? null : wilson(correct, answers),
    medianDurationMs: medianDuration(sums.durations),
    hintRate: answers === 0 ? null : hinted / answers,
    discrimination: discrimination(sums),
  };
}

/** Score interval of a proportion (Wilson 1927), 95 %. */
function wilson(successes: number, n: number): [number, number] {
  const z = 1.959964;
  const p = successes / n;
  const centre = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** Within the middle bucket, durations are taken to be spread evenly on the logarithmic scale. */
function medianDuration(durations: ReadonlyMap<number, number>): number | null {
  let total = 0;
  for (const count of durations.values()) total += count;
  if (total === 0) return null;
  let below = 0;
  for (const [bucket, count] of [...durations].sort(([a], [b]) => a - b)) {
    if (below + count >= total / 2) {
      return Math.round(2 ** ((bucket + (total / 2 - below) / count) / bucketsPerDoubling));
    }
    below += count;
  }
  return null;
}

function discrimination({ answers, correct, ability, abilitySquared, abilityCorrect }: ItemSums): number | null {
  const spread = answers * abilitySquared - ability * ability;
  const outcomes = correct * (answers - correct);
  if (spread <= 0 || outcomes <= 0) return null;
  return (answers * abilityCorrect - ability * correct) / Math.sqrt(spread * outcomes);
}

type SumsJson = [number, number, number, number, number, number, number, number[]];

export function encodeItemSums(sums: ItemSums): Buffer {
  const { answers, learners, correct, hinted, ability, abilitySquared, abilityCorrect } = sums;
  // In order of bucket: equal sums have equal bytes.
  const durations = [...sums.durations].sort(([a], [b]) => a - b).flat();
  const json: SumsJson = [answers, learners, correct, hinted, ability, abilitySquared, abilityCorrect, durations];
  return toBytes(json);
}

export function decodeItemSums(bytes: Buffer): ItemSums {
  const [answers, learners, correct, hinted, ability, abilitySquared, abilityCorrect, flat] = fromBytes(
    bytes,
  ) as SumsJson;
  const durations = new Map<number, number>();
  for (let at = 0; at < flat.length; at += 2) durations.set(flat[at] ?? 0, flat[at + 1] ?? 0);
  return { answers, learners, correct, hinted, ability, abilitySquared, abilityCorrect, durations };
}

/** The stats of an item from what each partition counted (null: nothing). */
export function mergeItemStats(fields: readonly (Buffer | null)[]): ItemStats {
  const total = newItemSums();
  for (const bytes of fields) if (bytes !== null) addItemSums(total, decodeItemSums(bytes));
  return itemStats(total);
}

/** Adds the sums of another partition, in place. */
export function addItemSums(to: ItemSums, other: ItemSums): void {
  to.answers += other.answers;
  to.learners += other.learners;
  to.correct += other.correct;
  to.hinted += other.hinted;
  to.ability += other.ability;
  to.abilitySquared += other.abilitySquared;
  to.abilityCorrect += other.abilityCorrect;
  for (const [bucket, count] of other.durations) to.durations.set(bucket, (to.durations.get(bucket) ?? 0) + count);
}
