/** The largest logit a model may state: p stays within (0, 1) and its logarithm finite, whatever was folded in. */
const largestLogit = 30;

/** Natural log of the odds of a probability strictly between 0 and 1. */
export const logit = (p: number): number => Math.log(p / (1 - p));

/** Probability of a logit (natural log of the odds), always strictly between 0 and 1. */
export function sigmoid(logit: number): number {
  if (logit > largestLogit) return 1 / (1 + Math.exp(-largestLogit));
  if (logit < -largestLogit) return 1 / (1 + Math.exp(largestLogit));
  return 1 / (1 + Math.exp(-logit));
}
