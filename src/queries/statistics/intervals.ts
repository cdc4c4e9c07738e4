import jStat from "jstat";
import type { Random } from "../../domain/random.ts";

/** An estimate with its confidence interval; NaN where there is too little to tell. */
export interface Estimate {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  /** Observations behind it. */
  readonly n: number;
}

const usual = 0.95;

/** The mean with Student's t interval: mean +- t(n - 1) s / sqrt(n). One value has no interval, none has no mean. */
export function meanInterval(values: readonly number[], confidence: number = usual): Estimate {
  const n = values.length;
  const mean = meanOf(values);
  if (n < 2) return { estimate: mean, low: Number.NaN, high: Number.NaN, n };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const half = variance === 0 ? 0 : jStat.studentt.inv(upperTail(confidence), n - 1) * Math.sqrt(variance / n);
  return { estimate: mean, low: mean - half, high: mean + half, n };
}

/**
 * The mean of `a - b`, pair by pair: where both were measured under the same circumstances (the same seed, the same
 * learners), what these did to both cancels. Throws on lists of different length.
 */
export function pairedDifference(a: readonly number[], b: readonly number[], confidence: number = usual): Estimate {
  if (a.length !== b.length) throw new RangeError(`${a.length} values cannot be paired with ${b.length}`);
  return meanInterval(
    a.map((value, index) => value - (b[index] as number)),
    confidence,
  );
}

/** A share with Wilson's score interval (1927): holds for small n and near 0 and 1, where mean +- z s fails. */
export function wilsonInterval(successes: number, n: number, confidence: number = usual): Estimate {
  if (n === 0) return { estimate: Number.NaN, low: Number.NaN, high: Number.NaN, n };
  const z = jStat.normal.inv(upperTail(confidence), 0, 1);
  const share = successes / n;
  const scale = 1 / (1 + z ** 2 / n);
  const centre = scale * (share + z ** 2 / (2 * n));
  const half = scale * z * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2));
  return { estimate: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half), n };
}

/**
 * A correlation of n pairs with Fisher's interval (1921): tanh(atanh r +- z / sqrt(n - 3)); z standard errors, 1.96 for 95 %.
 * None for fewer than four.
 */
export function correlationInterval(
  r: number,
  n: number,
  z: number = jStat.normal.inv(upperTail(usual), 0, 1),
): Estimate {
  if (n < 4) return { estimate: r, low: Number.NaN, high: Number.NaN, n };
  const centre = Math.atanh(Math.max(-0.9999, Math.min(0.9999, r)));
  const half = z / Math.sqrt(n - 3);
  return { estimate: r, low: Math.tanh(centre - half), high: Math.tanh(centre + half), n };
}

export interface BootstrapOptions {
  readonly random: Random;
  readonly resamples?: number;
  readonly confidence?: number;
}

/**
 * Percentile bootstrap (Efron 1979): the statistic of samples drawn with replacement. What is drawn is an observation
 * as a whole, so give it learners, not answers, where answers of one learner hang together.
 */
export function bootstrapInterval<T>(
  observations: readonly T[],
  statistic: (sample: readonly T[]) => number,
  { random, resamples = 1000, confidence = usual }: BootstrapOptions,
): Estimate {
  const n = observations.length;
  const estimate = statistic(observations);
  if (n < 2) return { estimate, low: Number.NaN, high: Number.NaN, n };
  const values = new Float64Array(resamples);
  for (let k = 0; k < resamples; k++) {
    values[k] = statistic(observations.map(() => observations[Math.floor(random() * n)] as T));
  }
  values.sort();
  return {
    estimate,
    low: quantileOf(values, 1 - upperTail(confidence)),
    high: quantileOf(values, upperTail(confidence)),
    n,
  };
}

/** NaN of nothing. */
export function meanOf(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Quantile q of sorted values, between two of them on the straight line. */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  const place = q * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

const upperTail = (confidence: number): number => 1 - (1 - confidence) / 2;
