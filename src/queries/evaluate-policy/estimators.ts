import type { Random } from "../../domain/random.ts";
import { bootstrapInterval, type Estimate } from "../statistics/intervals.ts";

/** One place of one list that a learner answered. */
export interface Decision {
  /** What came of it, 0..1. */
  readonly reward: number;
  /** Probability with which the policy that served put this item there. */
  readonly logged: number;
  /** The same of the other policy; 0 where it never would. */
  readonly other: number;
  /** The reward that the model expects of this item. */
  readonly expected: number;
  /** The reward that the model expects of the other policy at this place: over all that it may put there. */
  readonly expectedOfOther: number;
}

/** Means of a reward, with bootstrap intervals over learners. */
export interface Estimates {
  /** What did happen, under the policy that served. */
  readonly logged: Estimate;
  /** Inverse propensity: unbiased where the logged policy can do what the other does; jumps where that is rare. */
  readonly ips: Estimate;
  /** The same divided by the sum of its weights: slightly biased, and steadier. */
  readonly snips: Estimate;
  /** The latter with no weight above {@link weightMax}: steadier still, and biased towards what was logged. */
  readonly clipped: Estimate;
  /** What the model expects alone: as wrong as the model. */
  readonly model: Estimate;
  /** Doubly robust: the model, corrected by what came otherwise than it expected. */
  readonly dr: Estimate;
  /** The doubly robust estimate less what was logged. */
  readonly gain: Estimate;
}
export type EstimateName = keyof Estimates;

export interface Evidence {
  readonly decisions: number;
  readonly learners: number;
  /** Decisions' worth of evidence after weighting: (sum of weights)^2 / sum of squares (Kish 1965). */
  readonly effective: number;
  readonly weightMax: number;
  /** Near 1 where propensities are right and the other policy does nothing that the logged one never does. */
  readonly weightMean: number;
}

/** Weights above this are cut to it in `clipped`. */
export const weightMax = 10;

/** Sums of one learner's decisions: all that the estimates are made of. */
interface Sums {
  n: number;
  reward: number;
  weight: number;
  weighted: number;
  clippedWeight: number;
  clipped: number;
  model: number;
  corrected: number;
}

const statistics: { readonly [Name in EstimateName]: (sums: Sums) => number } = {
  logged: ({ reward, n }) => reward / n,
  ips: ({ weighted, n }) => weighted / n,
  snips: ({ weighted, weight }) => weighted / weight,
  clipped: ({ clipped, clippedWeight }) => clipped / clippedWeight,
  model: ({ model, n }) => model / n,
  dr: ({ corrected, n }) => corrected / n,
  gain: ({ corrected, reward, n }) => (corrected - reward) / n,
};

/**
 * The value of another policy from decisions of the one that served: inverse propensity scoring (Horvitz, Thompson 1952),
 * self-normalised (Swaminathan, Joachims 2015), clipped (Ionides 2008) and doubly robust (Dudik, Langford, Li 2011). A
 * list's places count one by one, each with its own propensity (the item-position model of Li et al. 2018, "Offline
 * evaluation of ranking policies with click models"): what is done with a place may depend on item and place, not on the
 * items around it. `learners`: the decisions of each. Intervals: percentile bootstrap over learners.
 */
export function estimatesOf(learners: readonly (readonly Decision[])[], random: Random, resamples = 1000): Estimates {
  const sums = learners.filter(({ length }) => length > 0).map(sumsOf);
  const of = (name: EstimateName): Estimate =>
    bootstrapInterval(sums, (sample) => statistics[name](total(sample)), { random, resamples });
  return {
    ...{ logged: of("logged"), ips: of("ips"), snips: of("snips"), clipped: of("clipped") },
    ...{ model: of("model"), dr: of("dr"), gain: of("gain") },
  };
}

export function evidenceOf(learners: readonly (readonly Decision[])[]): Evidence {
  const weights = learners.flatMap((decisions) => decisions.map(weightOf));
  const sum = weights.reduce((a, b) => a + b, 0);
  const squares = weights.reduce((a, b) => a + b * b, 0);
  return {
    decisions: weights.length,
    learners: learners.filter(({ length }) => length > 0).length,
    effective: squares === 0 ? 0 : sum ** 2 / squares,
    weightMax: weights.reduce((a, b) => Math.max(a, b), 0),
    weightMean: sum / weights.length,
  };
}

const weightOf = ({ other, logged }: Decision): number => other / logged;

function sumsOf(decisions: readonly Decision[]): Sums {
  const sums = emptySums();
  for (const decision of decisions) {
    const { reward, expected, expectedOfOther } = decision;
    const weight = weightOf(decision);
    const clipped = Math.min(weight, weightMax);
    sums.n += 1;
    sums.reward += reward;
    sums.weight += weight;
    sums.weighted += weight * reward;
    sums.clippedWeight += clipped;
    sums.clipped += clipped * reward;
    sums.model += expectedOfOther;
    sums.corrected += expectedOfOther + weight * (reward - expected);
  }
  return sums;
}

function total(all: readonly Sums[]): Sums {
  const sums = emptySums();
  for (const one of all) {
    sums.n += one.n;
    sums.reward += one.reward;
    sums.weight += one.weight;
    sums.weighted += one.weighted;
    sums.clippedWeight += one.clippedWeight;
    sums.clipped += one.clipped;
    sums.model += one.model;
    sums.corrected += one.corrected;
  }
  return sums;
}

const emptySums = (): Sums => ({
  ...{ n: 0, reward: 0, weight: 0, weighted: 0, clippedWeight: 0, clipped: 0, model: 0, corrected: 0 },
});
