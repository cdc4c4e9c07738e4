import { type DayProfile, factorAt, spanSeconds, surgeAt, surgeBetween } from "./day-profile.ts";

/** Arrivals some minutes ahead, by level, trend and time of day, and how wrong such forecasts were. */
export interface Forecaster {
  /** The rate of the time since it was told last, events a second; times grow. */
  observe(atSeconds: number, rate: number): void;
  /** null: the time of day is not known. */
  useProfile(profile: DayProfile | null): void;
  forecast(): Forecast;
  /** The most that is expected at any time of the next so many seconds; the current rate while forecasts are not trusted. */
  mostWithin(seconds: number): number;
}

export interface Forecast {
  /** Expected at `atSeconds` + `aheadSeconds`; the current rate while there is nothing to go by. */
  readonly rate: number;
  readonly atSeconds: number;
  readonly aheadSeconds: number;
  /** Mean error over mean rate of what was forecast for times that came; null before the first. */
  readonly errorRatio: number | null;
  /** The same, had each forecast said that nothing changes. */
  readonly naiveErrorRatio: number | null;
  /** It was wrong by little, often enough, and by no more than the guess that nothing changes. */
  readonly trusted: boolean;
  readonly byTimeOfDay: boolean;
}

export interface ForecastOptions {
  readonly aheadSeconds: number;
  readonly errorMax: number;
}

const stepSeconds = 60;
/** Smoothing of level and trend by the minute, and how much of the trend is left a minute later. */
const smoothing = { level: 0.3, trend: 0.1, damping: 0.9 };
/** The trend alone takes the rate up or down by no more than half. */
const trendMost = 0.5;
/** Forecasts that must have come due, and over how many the error is a mean. */
const duesMin = 15;
const duesMemory = 60;

/**
 * Holt and Winters' exponential smoothing with a damped trend and a season that multiplies (Hyndman and Athanasopoulos,
 * Forecasting: Principles and Practice, 8.3). The season is not learnt here: it is the profile of the day, from the log.
 */
export function createForecaster({ aheadSeconds, errorMax }: ForecastOptions): Forecaster {
  let profile: DayProfile | null = null;
  let level: number | null = null;
  let trend = 0;
  let at = 0;
  let minute = { from: 0, events: 0, seconds: 0 };
  let last = 0;
  let started = false;
  /** What was said for times to come, the next first; as many as there are minutes ahead. */
  const open: { readonly due: number; readonly rate: number; readonly naive: number }[] = [];
  const errors = { dues: 0, rate: 0, forecast: 0, naive: 0 };

  const season = (seconds: number): number => (profile === null ? 1 : factorAt(profile, seconds));

  /** Without surges. */
  function ahead(seconds: number): number {
    if (level === null) return last;
    const { damping } = smoothing;
    const steps = seconds / stepSeconds;
    const drift = trend * ((damping * (1 - damping ** steps)) / (1 - damping));
    const most = level * trendMost;
    return Math.max(0, level + Math.max(-most, Math.min(most, drift))) * season(at + seconds);
  }

  const aheadWithSurge = (): number =>
    ahead(aheadSeconds) * (profile === null || level === null ? 1 : surgeAt(profile, at + aheadSeconds));

  /** A surge is about to come, or goes: its minute is not the day before's, so that nothing is learnt of the level. */
  const isSurging = (): boolean => profile !== null && surgeBetween(profile, at - spanSeconds, at + spanSeconds) > 1;

  function learn(rate: number): void {
    if (level !== null && isSurging()) return;
    const flat = rate / season(at - stepSeconds / 2);
    if (level === null) {
      level = flat;
      return;
    }
    const before = level;
    level = smoothing.level * flat + (1 - smoothing.level) * (before + smoothing.damping * trend);
    trend = smoothing.trend * (level - before) + (1 - smoothing.trend) * smoothing.damping * trend;
  }

  function judge(rate: number): void {
    for (let next = open[0]; next !== undefined && next.due <= at; next = open[0]) {
      open.shift();
      // Of a gap in what was told nothing is known.
      if (next.due <= at - stepSeconds) continue;
      const keep = 1 - 1 / duesMemory;
      errors.dues += 1;
      errors.rate = errors.rate * keep + rate;
      errors.forecast = errors.forecast * keep + Math.abs(next.rate - rate);
      errors.naive = errors.naive * keep + Math.abs(next.naive - rate);
    }
  }

  function endMinute(): void {
    const rate = minute.events / minute.seconds;
    at = minute.from + minute.seconds;
    judge(rate);
    learn(rate);
    open.push({ due: at + aheadSeconds, rate: aheadWithSurge(), naive: rate });
    minute = { from: at, events: 0, seconds: 0 };
  }

  return {
    observe(atSeconds, rate) {
      last = rate;
      if (!started) {
        started = true;
        minute = { from: atSeconds, events: 0, seconds: 0 };
        at = atSeconds;
        return;
      }
      const seconds = atSeconds - (minute.from + minute.seconds);
      if (seconds <= 0) return;
      minute = { from: minute.from, events: minute.events + rate * seconds, seconds: minute.seconds + seconds };
      if (minute.seconds >= stepSeconds) endMinute();
    },
    useProfile(next) {
      // The level is held in the terms of the season.
      if (level !== null) level *= season(at);
      if (level !== null) trend *= season(at);
      profile = next;
      if (level !== null) level /= season(at);
      if (level !== null) trend /= season(at);
    },
    mostWithin(seconds) {
      if (!judged().trusted || level === null) return last;
      const surge = profile === null ? 1 : surgeBetween(profile, at, at + seconds);
      return Math.max(last, Math.max(ahead(0), ahead(seconds)) * surge);
    },
    forecast() {
      return {
        ...{ rate: aheadWithSurge(), atSeconds: at, aheadSeconds, byTimeOfDay: profile !== null },
        ...judged(),
      };
    },
  };

  function judged() {
    const ratio = (error: number): number | null =>
      errors.dues === 0 ? null : errors.rate === 0 ? 0 : error / errors.rate;
    const [errorRatio, naiveErrorRatio] = [ratio(errors.forecast), ratio(errors.naive)];
    const trusted = errors.dues >= duesMin && (errorRatio ?? 1) <= errorMax && errors.forecast <= errors.naive * 1.05;
    return { errorRatio, naiveErrorRatio, trusted };
  }
}
