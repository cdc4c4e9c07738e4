import jStat from "jstat";

/** How long something was seen, in any unit, and whether it ended then (else it was seen no longer: censored). */
export interface Lifetime {
  readonly time: number;
  readonly ended: boolean;
}

/** From `time` on, until the next step, so large a share goes on. */
export interface SurvivalStep {
  readonly time: number;
  /** Still seen just before. */
  readonly atRisk: number;
  readonly ended: number;
  readonly survival: number;
  /** 95 %, on the scale of log(-log S) (Kalbfleisch, Prentice 1980), Greenwood's variance; NaN where S is 0. */
  readonly low: number;
  readonly high: number;
}

export interface Survival {
  readonly n: number;
  readonly ended: number;
  /** One for each time at which something ended, in order; none before the first. */
  readonly steps: readonly SurvivalStep[];
  /** The longest that anyone was seen; 0 for nobody. */
  readonly end: number;
  /** First time at which at most half go on; null where more than half still do. */
  readonly median: number | null;
}

/**
 * The product-limit estimate (Kaplan, Meier 1958): the share that goes on past each time, where some were not seen to the
 * end. Who was seen up to a time and no longer counts as at risk at that time.
 */
export function kaplanMeier(lifetimes: readonly Lifetime[]): Survival {
  const sorted = [...lifetimes].sort((a, b) => a.time - b.time);
  const steps: SurvivalStep[] = [];
  let survival = 1;
  let greenwood = 0;
  for (let from = 0; from < sorted.length; ) {
    const time = sorted[from]?.time ?? 0;
    let to = from;
    let ended = 0;
    for (; to < sorted.length && sorted[to]?.time === time; to += 1) ended += sorted[to]?.ended === true ? 1 : 0;
    const atRisk = sorted.length - from;
    if (ended > 0) {
      survival *= (atRisk - ended) / atRisk;
      greenwood += ended / (atRisk * (atRisk - ended));
      steps.push({ time, atRisk, ended, survival, ...interval(survival, greenwood) });
    }
    from = to;
  }
  const ended = steps.reduce((sum, step) => sum + step.ended, 0);
  // A product of shares may miss one half by a rounding error.
  const median = steps.find((step) => step.survival <= 0.5 + 1e-12)?.time ?? null;
  return { n: sorted.length, ended, steps, end: sorted.at(-1)?.time ?? 0, median };
}

const z = jStat.normal.inv(0.975, 0, 1);

function interval(survival: number, greenwood: number): { low: number; high: number } {
  if (survival <= 0) return { low: Number.NaN, high: Number.NaN };
  const half = (z * Math.sqrt(greenwood)) / Math.abs(Math.log(survival));
  return { low: survival ** Math.exp(half), high: survival ** Math.exp(-half) };
}
