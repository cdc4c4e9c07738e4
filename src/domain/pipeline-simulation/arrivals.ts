import type { Random } from "../random.ts";
import type { Calendar } from "./calendar.ts";
import { poisson } from "./durations.ts";

/** A rate over time: a mean, a curve of the day on it, and spikes on that. */
export interface RateProfile {
  /** A second; with a curve of the day its mean over the day. */
  readonly perSecond: number;
  /** Busiest time of the day over the mean of it; 1: every hour is alike. The curve is exp(k cos) about its peak. */
  readonly dayPeakFactor?: number;
  /** Seconds after the beginning; 18 h where it is left out. */
  readonly dayPeakAtSeconds?: number;
  readonly spikes?: readonly Spike[];
}

/** So many times the rate for a while. Those that overlap multiply. */
export interface Spike {
  readonly fromSeconds: number;
  readonly seconds: number;
  readonly factor: number;
}

const daySeconds = 86_400;

export function rateAt(profile: RateProfile): (seconds: number) => number {
  const { perSecond, dayPeakFactor = 1, dayPeakAtSeconds = 18 * 3600, spikes = [] } = profile;
  const k = concentrationOf(dayPeakFactor);
  const scale = perSecond / besselI0(k);
  return (seconds) => {
    let rate =
      k === 0 ? perSecond : scale * Math.exp(k * Math.cos(((seconds - dayPeakAtSeconds) / daySeconds) * 2 * Math.PI));
    for (const { fromSeconds, seconds: length, factor } of spikes) {
      if (seconds >= fromSeconds && seconds < fromSeconds + length) rate *= factor;
    }
    return rate;
  };
}

/** The k of exp(k cos x) / I0(k), whose mean over a turn is 1, that has this peak. */
function concentrationOf(peak: number): number {
  if (!(peak > 1)) return 0;
  let [low, high] = [0, 1];
  while (Math.exp(high) / besselI0(high) < peak) high *= 2;
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (Math.exp(middle) / besselI0(middle) < peak) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Modified Bessel function of the first kind, order 0, by its series (Abramowitz and Stegun 9.6.12). */
function besselI0(x: number): number {
  let [term, sum] = [1, 1];
  for (let n = 1; term > sum * 1e-16; n += 1) {
    term *= (x / 2 / n) ** 2;
    sum += term;
  }
  return sum;
}

export interface Arrivals {
  readonly calendar: Calendar;
  readonly random: Random;
  readonly profile: RateProfile;
  readonly untilSeconds: number;
  /** 0: each arrival by itself. Else all of so many milliseconds arrive together, in their middle. */
  readonly resolutionMs: number;
  readonly arrive: (count: number) => void;
}

/** How often a rate that changes by the hour is looked at, seconds. */
const rateStep = 1;

/** A Poisson process whose rate is constant between two looks at it. Arrivals that come together are as many as it would bring. */
export function scheduleArrivals({ calendar, random, profile, untilSeconds, resolutionMs, arrive }: Arrivals): void {
  const rate = rateAt(profile);
  const step = resolutionMs / 1000;

  function together(from: number): void {
    const middle = from + step / 2;
    if (middle >= untilSeconds) return;
    calendar.at(middle, () => {
      const count = poisson(random, rate(middle) * step);
      if (count > 0) arrive(count);
      together(from + step);
    });
  }

  /** Gaps are without memory: where one reaches beyond the next change of the rate, another is drawn there. */
  function nextAfter(from: number): void {
    let at = from;
    for (;;) {
      const change = nextChange(at, profile.spikes ?? []);
      const now = rate(at);
      const next = now > 0 ? at - Math.log(1 - random()) / now : Number.POSITIVE_INFINITY;
      if (next < change) {
        at = next;
        break;
      }
      at = change;
      if (at >= untilSeconds) return;
    }
    if (at >= untilSeconds) return;
    calendar.at(at, () => {
      arrive(1);
      nextAfter(at);
    });
  }

  if (profile.perSecond <= 0) return;
  if (step > 0) together(0);
  else nextAfter(0);
}

function nextChange(after: number, spikes: readonly Spike[]): number {
  let next = (Math.floor(after / rateStep) + 1) * rateStep;
  for (const { fromSeconds, seconds } of spikes) {
    for (const edge of [fromSeconds, fromSeconds + seconds]) if (edge > after && edge < next) next = edge;
  }
  return next;
}
