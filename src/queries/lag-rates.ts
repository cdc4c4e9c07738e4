/** One look at how far a follower is. */
export interface LagSample {
  /** Milliseconds. */
  readonly at: number;
  /** Events for it that came into the log since the first sample. */
  readonly arrived: number;
  readonly behindEvents: number;
}

/** Events a second; null where two looks far enough apart are not there yet. */
export interface LagRates {
  readonly rateIn: number | null;
  readonly rateOut: number | null;
  /** Over how many seconds they were measured; 0 where they were not. */
  readonly rateSeconds: number;
}

/**
 * What an operator may call it:
 * - `stale`: it has no position at all, it never started;
 * - `current`: nothing is behind;
 * - `following`: less than a second of its work is behind, or what is behind is younger than a moment;
 * - `draining`, `growing`: more is behind, and it becomes less or does not;
 * - `stopped`: something is behind, and nothing of it was folded while the rates were measured;
 * - `measuring`: something is behind, and the rates are not known yet.
 */
export type LagState = (typeof lagStates)[number];
export const lagStates = ["stale", "current", "following", "draining", "growing", "stopped", "measuring"] as const;

export interface Behind {
  readonly started: boolean;
  readonly behindEvents: number;
  readonly behindSeconds: number;
}

const spanMsMin = 500;
/** What came in so short a time ago may be on its way. Seconds. */
const momentSeconds = 5;

/** Rates between two samples. What goes out is what came in and is not behind any more. */
export function ratesBetween(first: LagSample | undefined, last: LagSample): LagRates {
  if (first === undefined || last.at - first.at < spanMsMin) return { rateIn: null, rateOut: null, rateSeconds: 0 };
  const seconds = (last.at - first.at) / 1000;
  const arrived = last.arrived - first.arrived;
  const folded = arrived - (last.behindEvents - first.behindEvents);
  // Less than nothing: what was folded is to be folded again.
  return { rateIn: arrived / seconds, rateOut: Math.max(0, folded) / seconds, rateSeconds: seconds };
}

export function stateOf({ started, behindEvents, behindSeconds }: Behind, { rateIn, rateOut }: LagRates): LagState {
  if (!started) return "stale";
  if (behindEvents === 0) return "current";
  if (rateIn === null || rateOut === null) return "measuring";
  if (rateOut === 0) return behindSeconds < momentSeconds ? "following" : "stopped";
  if (behindEvents <= rateOut) return "following";
  return rateOut > rateIn ? "draining" : "growing";
}

/**
 * Until nothing is behind, at the rates of now: backlog / (out - in). 0 where nothing is behind; null where it will not
 * drain, and where that is not known. Who follows has a steady backlog, of which each event waits for backlog / out
 * (Little's law).
 */
export function secondsToDrain(behind: Behind, rates: LagRates): number | null {
  const { rateIn, rateOut } = rates;
  switch (stateOf(behind, rates)) {
    case "current":
      return 0;
    case "following":
      return rateOut === null || rateOut === 0 ? behind.behindSeconds : behind.behindEvents / rateOut;
    case "draining":
      return behind.behindEvents / ((rateOut ?? 0) - (rateIn ?? 0));
    default:
      return null;
  }
}

/** The samples of one follower, the oldest first; bounded in number and in age. */
export interface SampleWindow {
  /** Adds it; returns the rates over about the window, up to this sample. */
  add(sample: LagSample): LagRates;
}

/**
 * Of the samples at least one is as old as the window, where there was one: who asks each second gets the rates of the
 * last `windowMs`, who asks each minute those since it asked last. Nothing older than `oldestMs` is used.
 */
export function createSampleWindow(windowMs: number, oldestMs: number): SampleWindow {
  /** Closer together than this, a sample takes the place of the one before. */
  const apartMs = windowMs / 60;
  let samples: LagSample[] = [];
  return {
    add(sample) {
      samples = samples.filter(({ at }) => at <= sample.at && sample.at - at <= oldestMs);
      const old = samples.findLastIndex(({ at }) => sample.at - at >= windowMs);
      if (old > 0) samples = samples.slice(old);
      const rates = ratesBetween(samples[0], sample);
      const before = samples.at(-2);
      const replaces = before !== undefined && (samples.at(-1)?.at ?? 0) - before.at < apartMs;
      samples = [...(replaces ? samples.slice(0, -1) : samples), sample];
      return rates;
    },
  };
}
