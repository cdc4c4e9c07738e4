import { mulberry32, type Random } from "../../src/domain/random.ts";

/** Random choices of a test that a seed repeats. */
export interface SeededRandom {
  /** Uniform in [0, 1). */
  next(): number;
  /** Whole, 0 up to below n. */
  below(n: number): number;
  pick<T>(from: readonly T[]): T;
  chance(p: number): boolean;
}

export function seededRandom(seed: number): SeededRandom {
  const next = mulberry32(seed);
  const below = (n: number): number => Math.floor(next() * n);
  return { next, below, chance: (p) => next() < p, pick: (from) => pick(next, from) };
}

export function pick<T>(random: Random, from: readonly T[]): T {
  const one = from[Math.floor(random() * from.length)];
  if (one === undefined) throw new RangeError("nothing to pick from");
  return one;
}
