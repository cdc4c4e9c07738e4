/** How much of a day's arrivals come at which time of it. */
export interface DayProfile {
  /** For each hour of the day (UTC) its usual rate over the mean of the day; short surges are not in it. */
  readonly factors: readonly number[];
  /** For each five minutes of the day how many times the usual rate of its hour comes then: 1 but for surges, lessons that begin. */
  readonly surges: readonly number[];
  /** Days that it was made of. */
  readonly days: number;
}

/** Arrivals of five minutes that are over. */
export interface SpanOfArrivals {
  /** Its beginning, seconds since 1970. */
  readonly startSeconds: number;
  readonly events: number;
}

export const spanSeconds = 300;
const hour = 3600;
const hours = 24;
const spansOfHour = hour / spanSeconds;
const spans = hours * spansOfHour;
/** Of the mean: an hour without arrivals is no reason to expect that none ever come. */
const factorMin = 0.05;
/** Less than this times the usual is chance, not a surge. */
const surgeMin = 1.3;
const daysMin = 2;

/**
 * By medians: over the days, so that an import of one night is not expected each night, and for an hour over its spans as well, so that
 * ten minutes of lessons are a surge on it and not its rate. null: fewer than two days.
 */
export function dayProfile(arrivals: readonly SpanOfArrivals[]): DayProfile | null {
  const bySpan = Array.from({ length: spans }, (): number[] => []);
  for (const { startSeconds, events } of arrivals) bySpan[spanOf(startSeconds)]?.push(events);
  const days = Math.min(...bySpan.map(({ length }) => length));
  if (days < daysMin) return null;
  const usual = Array.from({ length: hours }, (_, at) =>
    median(bySpan.slice(at * spansOfHour, (at + 1) * spansOfHour).flat()),
  );
  const mean = usual.reduce((sum, one) => sum + one, 0) / hours;
  if (mean === 0) return null;
  const factors = usual.map((one) => Math.max(factorMin, one / mean));
  const surges = bySpan.map((events, at) => {
    const times = median(events) / mean / factorAt({ factors }, (at + 0.5) * spanSeconds);
    return times >= surgeMin ? times : 1;
  });
  return { days, factors, surges };
}

/** At a time (seconds since 1970), without surges: a line from the middle of an hour to the middle of the next. */
export function factorAt({ factors }: Pick<DayProfile, "factors">, seconds: number): number {
  const at = seconds / hour - 0.5;
  const before = Math.floor(at);
  const share = at - before;
  const of = (index: number): number => factors[((index % hours) + hours) % hours] ?? 1;
  return of(before) * (1 - share) + of(before + 1) * share;
}

export const surgeAt = ({ surges }: DayProfile, seconds: number): number => surges[spanOf(seconds)] ?? 1;

/** The greatest that begins or goes on between two times. */
export function surgeBetween(profile: DayProfile, from: number, to: number): number {
  let most = surgeAt(profile, to);
  for (let at = from; at < to; at += spanSeconds) most = Math.max(most, surgeAt(profile, at));
  return most;
}

const spanOf = (seconds: number): number => ((Math.floor(seconds / spanSeconds) % spans) + spans) % spans;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
