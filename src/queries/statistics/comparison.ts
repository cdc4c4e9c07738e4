import jStat from "jstat";
import { type Estimate, meanInterval, meanOf } from "./intervals.ts";

/** What one learner adds to a ratio, for instance right answers of all answers; to a mean with `of` 1. */
export interface Part {
  readonly part: number;
  readonly of: number;
}

export interface Difference extends Estimate {
  /** Holds at every look at once, however often one looks; wider than low..high, which holds for one look. */
  readonly alwaysLow: number;
  readonly alwaysHigh: number;
}

/**
 * The ratio of sums, with an interval that knows that what comes from one learner hangs together: linearised (the delta
 * method; Cochran 1977, "Sampling techniques", 6.4; Deng, Knoblich, Lu 2018 for experiments), then Student's t over learners.
 */
export function ratioInterval(parts: readonly Part[]): Estimate {
  return meanInterval(linearised(parts));
}

/** Values, one for each learner, whose mean is the ratio and whose spread is that of the ratio. */
function linearised(parts: readonly Part[]): number[] {
  const of = meanOf(parts.map((one) => one.of));
  if (!(of > 0)) return [];
  const ratio = meanOf(parts.map(({ part }) => part)) / of;
  return parts.map((one) => ratio + (one.part - ratio * one.of) / of);
}

/** Learners for which the interval that always holds is tightest; it holds for any number. */
const tightestAt = 500;

/**
 * The ratio of `a` less that of `b`, which share no learner. low..high is Welch's interval (1947). alwaysLow..alwaysHigh is an
 * asymptotic confidence sequence: a normal mixture (Robbins 1970) in the form of Waudby-Smith, Arbour, Sinha, Kennedy and
 * Ramdas 2021, "Time-uniform central limit theory and asymptotic confidence sequences".
 */
export function differenceInterval(a: readonly Part[], b: readonly Part[], confidence = 0.95): Difference {
  const [first, second] = [moments(linearised(a)), moments(linearised(b))];
  const n = first.n + second.n;
  const estimate = first.mean - second.mean;
  const variance = first.variance / first.n + second.variance / second.n;
  if (first.n < 2 || second.n < 2) {
    const unknown = Number.NaN;
    return { estimate, low: unknown, high: unknown, alwaysLow: unknown, alwaysHigh: unknown, n };
  }
  const degrees =
    variance ** 2 /
    ((first.variance / first.n) ** 2 / (first.n - 1) + (second.variance / second.n) ** 2 / (second.n - 1));
  const t = variance === 0 ? 0 : jStat.studentt.inv(1 - (1 - confidence) / 2, degrees);
  const half = t * Math.sqrt(variance);
  const always = alwaysFactor(n, 1 - confidence) * Math.sqrt(variance);
  return {
    ...{ estimate, low: estimate - half, high: estimate + half, n },
    ...{ alwaysLow: estimate - always, alwaysHigh: estimate + always },
  };
}

/** Standard errors to each side. */
function alwaysFactor(n: number, alpha: number): number {
  const rho2 = (-2 * Math.log(alpha) + Math.log(-2 * Math.log(alpha)) + 1) / tightestAt;
  const scaled = n * rho2 + 1;
  return Math.sqrt(((2 * scaled) / (n * rho2)) * Math.log(Math.sqrt(scaled) / alpha));
}

function moments(values: readonly number[]): { n: number; mean: number; variance: number } {
  const n = values.length;
  const mean = meanOf(values);
  return { n, mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1) };
}
