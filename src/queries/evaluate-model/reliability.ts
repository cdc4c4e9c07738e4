import type { CalibrationBin } from "../../domain/learner-model/metrics.ts";

/** So many standard errors on either side hold 99.9 % of samples. */
const standardErrors = 3.29;

/**
 * Whether what was predicted came true: of predictions of 70 to 80 %, 70 to 80 % were correct, but for what chance may do
 * to so many answers (binomial, 99.9 %). Null for an empty bin.
 */
export function isReliable({ from, to, answers, predicted, observed }: CalibrationBin): boolean | null {
  if (predicted === null || observed === null) return null;
  const chance = standardErrors * Math.sqrt((predicted * (1 - predicted)) / answers);
  return observed >= from - chance && observed <= to + chance;
}
