import { flat } from "./pieces.ts";

/*
 * Numbers below 1 of few places as JavaScript writes them, put together of two digits at a time: a table of all of them would be out of
 * the processor's caches at each look, and to wait for memory takes longer than to add a few strings. `| 0`: numbers of a column may be
 * fractions to V8, for which a remainder is slow.
 */

const twoDigits = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, "0"));
/** As the last digits of a number: without the zeros at their end. */
const lastDigits = twoDigits.map((digits) => digits.replace(/0+$/, ""));
const firstPlaces = twoDigits.map((digits) => `0.${digits}`);

/** A number of ten-thousandths between the two texts. */
export function tenThousandthsJson(before: string, after: string): (number: number) => string {
  const firsts = firstPlaces.map((places) => flat(before + places));
  const lasts = lastDigits.map((digits) => flat(digits + after));
  return (number) => {
    if (!(number > 0 && number < 10_000)) return before + number / 10_000 + after;
    const first = (number / 100) | 0;
    const last = (number | 0) - 100 * first;
    return last === 0 && first % 10 === 0
      ? before + number / 10_000 + after
      : (firsts[first] as string) + (lasts[last] as string);
  };
}

/** The same of any number. */
export function sharesJson(before: string, after: string): (value: number) => string {
  const json = tenThousandthsJson(before, after);
  return (value) => {
    const number = Math.round(value * 10_000);
    return number / 10_000 === value ? json(number) : before + value + after;
  };
}

/** A number of millionths. */
export function millionthsJson(number: number): string {
  if (!(number > 0 && number < 1e6)) return String(number / 1e6);
  const pairs = (number / 100) | 0;
  const first = (pairs / 100) | 0;
  const next = pairs - 100 * first;
  const last = (number | 0) - 100 * pairs;
  const start = firstPlaces[first] as string;
  if (last > 0) return start + (twoDigits[next] as string) + (lastDigits[last] as string);
  return next > 0 ? start + (lastDigits[next] as string) : String(number / 1e6);
}

/** The same of any number. */
export function propensityJson(propensity: number): string {
  const number = Math.round(propensity * 1e6);
  return number / 1e6 === propensity ? millionthsJson(number) : String(propensity);
}
