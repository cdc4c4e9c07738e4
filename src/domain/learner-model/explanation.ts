import type { PairWeights } from "./pair-slots.ts";
import { sigmoid } from "./sigmoid.ts";

/** One summand of a prediction's logit. */
export interface Term {
  /** In words, with the id of the item or skill that it speaks of: "item m1", "wins, skill add". */
  readonly feature: string;
  /** What the weight is multiplied with. */
  readonly value: number;
  /** Shared by all learners, or the learner's own ability. In logits for each unit of `value`. */
  readonly weight: number;
  /** value * weight, in logits. */
  readonly contribution: number;
}

/** Why a probability is what it is. */
export interface Explanation {
  /** As {@link LearnerModel.predict} gives it, to the last bit. */
  readonly p: number;
  /** Natural logarithm of the odds. The contributions sum to it, but for the rounding of sums taken in another order. */
  readonly logit: number;
  /**
   * Standard deviation of `p`, from that of each weight, taken as independent (a diagonal Laplace approximation):
   * p (1 - p) sqrt(sum of value^2 variance).
   */
  readonly sd: number;
  /** In the order of the formula; those of value or weight 0 too. */
  readonly terms: readonly Term[];
}

/** Collects the terms of one prediction. */
export class Explainer {
  readonly #terms: Term[] = [];
  #variance = 0;

  /** `variance`: of the weight, in squared logits. */
  add(feature: string, value: number, weight: number, variance: number): void {
    this.#terms.push({ feature, value, weight, contribution: value * weight });
    this.#variance += value * value * variance;
  }

  /** A weight of pair-slots.ts. */
  addSmall(feature: string, value: number, pairs: PairWeights, slot: number): void {
    this.add(feature, value, pairs.value(slot), 1 / (1 / smallPriorVariance + pairs.squares(slot)));
  }

  /** `logit`: as the prediction itself sums it. */
  explanation(logit: number): Explanation {
    const p = sigmoid(logit);
    return { p, logit, sd: p * (1 - p) * Math.sqrt(this.#variance), terms: this.#terms };
  }
}

/**
 * Variance of a number of which nothing is known but that it is one of many like it: items, skills and abilities are
 * about one logit apart.
 */
const priorVariance = 1;

/** Of one pair of many: they are about a fifth of a logit apart. */
const smallPriorVariance = 0.04;

/**
 * Variance after evidence: the binomial information p (1 - p) x^2 of the answers, summed. The variance before is 1.
 */
export const varianceAfter = (information: number): number => 1 / (1 / priorVariance + information);

/** Of an answer of which only the number is kept: that of p = .75. */
export const informationOfAnswer = 0.1875;
