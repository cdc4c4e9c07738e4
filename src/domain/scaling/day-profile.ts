/** How much of a day's arrivals come at which time of it. */
export interface DayProfile {
  /** For each hour of the day (UTC) its rate over the mean of the day. */
  readonly factors: readonly number[];
  /** Days that it was made of. */
  readonly days: number;
}

/** Arrivals of an hour that is over. */
export interface HourOfArrivals {
  /** Its beginning, seconds since 1970. */
  readonly startSeconds: number;
  readonly events: number;
}

const hour = 3600;
const hours = 24;
/** Of the mean: an hour without arrivals is no reason to expect that none ever come. */
const factorMin = 0.05;
const daysMin = 2;

/** By the median over the days, so that an import of one night is not expected each night. null: fewer than two days. */
export function dayProfile(arrivals: readonly HourOfArrivals[]): DayProfile | null {
  const byHour = Array.from({ length: hours }, (): number[] => []);
  for (const { startSeconds, events } of arrivals) byHour[hourOf(startSeconds)]?.push(events);
  const days = Math.min(...byHour.map(({ length }) => length));
  if (days < daysMin) return null;
  const medians = byHour.map(median);
  const mean = medians.reduce((sum, one) => sum + one, 0) / hours;
  if (mean === 0) return null;
  return { days, factors: medians.map((one) => Math.max(factorMin, one / mean)) };
}

/** At a time (seconds since 1970): a line from the middle of an hour to the middle of the next. */
export function factorAt({ factors }: DayProfile, seconds: number): number {
  const at = seconds / hour - 0.5;
  const before = Math.floor(at);
  const share = at - before;
  const of = (index: number): number => factors[((index % hours) + hours) % hours] ?? 1;
  return of(before) * (1 - share) + of(before + 1) * share;
}

const hourOf = (seconds: number): number => ((Math.floor(seconds / hour) % hours) + hours) % hours;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
