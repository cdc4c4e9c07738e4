/**
 * The last outcomes of a learner as one small number: a 1, then a bit for each, the newest last. So it says how many there
 * were, as long as there are not more than fit: `1` none, `0b101` wrong, then right.
 */
export const noOutcomes = 1;

/** Patterns of at most `length` outcomes are smaller than this. */
export const patternsOf = (length: number): number => 2 << length;

export function addOutcome(pattern: number, correct: boolean, length: number): number {
  return lastOutcomes(2 * pattern + (correct ? 1 : 0), length);
}

/** The newest of them, at most `length`. */
export function lastOutcomes(pattern: number, length: number): number {
  const full = 1 << length;
  return pattern < 2 * full ? pattern : (pattern & (full - 1)) | full;
}

/** How many outcomes it holds. */
export const outcomesIn = (pattern: number): number => 31 - Math.clz32(pattern);

/** How many of them were right. */
export function winsIn(pattern: number): number {
  let wins = -1;
  for (let rest = pattern; rest > 0; rest >>>= 1) wins += rest & 1;
  return wins;
}
