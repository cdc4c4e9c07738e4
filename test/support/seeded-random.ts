import { mulberry32 } from "../../src/domain/random.ts";

/** Random numbers 0..1 that are the same for the same seed. */
export const seededRandom: (seed: number) => () => number = mulberry32;

export function pick<T>(random: () => number, values: readonly T[]): T {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new RangeError("nothing to pick from");
  return value;
}
