/**
 * Learners of the load tests answer by an ability of their own, so that what is served to them changes as it does for people.
 * Pure: the runner gives them a past with it, k6 lets them go on. `load-tests/locust/learners.py` says the same in Python.
 */

/** The first skill that opens another one; none of the learners ever masters it. */
export const keySkill = "vault-key";
/** Behind {@link keySkill}: an item of it in a list was locked. */
export const vaultSkill = "vault";

export interface CourseItem {
  readonly itemId: string;
  readonly skillIds: readonly string[];
  /** Logits. */
  readonly difficulty: number;
}

export const learnerName = (index: number): string => `load-learner-${index}`;

/** 0 up to 1, always the same of a whole number. */
export function hashed(n: number): number {
  let x = Math.imul(n ^ 0x9e3779b9, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

/** Logits, about normal: the sum of three even draws, with a standard deviation of 1. */
export const abilityOf = (index: number): number =>
  2 * (hashed(3 * index) + hashed(3 * index + 1) + hashed(3 * index + 2) - 1.5);

/** Rasch's model with a guess of one in ten. `draw` is 0 up to 1. */
export function isCorrect(ability: number, item: CourseItem, draw: number): boolean {
  if (item.skillIds.includes(keySkill)) return false;
  return draw < 0.1 + 0.9 / (1 + Math.exp(item.difficulty - ability));
}
