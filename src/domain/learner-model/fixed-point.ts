/**
 * A learner's own numbers are kept as whole multiples of small steps: they are short as JSON, and what is read back
 * is what was in memory, so that a fold interrupted by a restart gives the same numbers to the last bit.
 */

/** Abilities: 1/100,000 logit. */
export const abilityUnit = 1e-5;
/** Averages of outcomes: 1/10,000 on the scale -1..1. */
export const recentUnit = 1e-4;

/** 21 logits: far beyond what any answer changes; keeps the numbers small integers. */
const largestAbility = 2_100_000;

/** Adds a change in logits to an ability in units. */
export function moveAbility(ability: number, change: number): number {
  const moved = Math.round(ability + change / abilityUnit) | 0;
  return Math.max(-largestAbility, Math.min(largestAbility, moved));
}

/** Exponentially weighted moving average, in units, of outcomes coded +1 (correct) and -1; starts at 0. */
export function moveRecent(recent: number, decay: number, correct: boolean): number {
  const outcome = correct ? 1 / recentUnit : -1 / recentUnit;
  return Math.round(decay * recent + (1 - decay) * outcome) | 0;
}
