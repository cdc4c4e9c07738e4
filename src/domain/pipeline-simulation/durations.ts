import { type Random, standardNormal } from "../random.ts";

/** How long something takes: its mean and how much it varies. */
export interface Duration {
  readonly meanMs: number;
  /** Standard deviation over mean: 0 constant, 1 exponential, else lognormal. Default 0. */
  readonly cv?: number;
}

/** A draw of so many of them in a row, seconds. Many at once are drawn as a normal, never below nothing. */
export function draw(random: Random, { meanMs, cv = 0 }: Duration, count = 1): number {
  const mean = meanMs / 1000;
  if (cv === 0 || mean === 0) return mean * count;
  if (count > 1) return Math.max(0, mean * count + mean * cv * Math.sqrt(count) * standardNormal(random));
  if (cv === 1) return -mean * Math.log(1 - random());
  const variance = Math.log(1 + cv * cv);
  return mean * Math.exp(Math.sqrt(variance) * standardNormal(random) - variance / 2);
}

/** Poisson, by Knuth's product where few are expected, else as a normal, rounded. */
export function poisson(random: Random, mean: number): number {
  if (mean <= 0) return 0;
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * standardNormal(random)));
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > least; product *= random()) count += 1;
  return count;
}

/** How many of so many, each with a probability: exact for few, else as a normal, rounded. */
export function binomial(random: Random, count: number, probability: number): number {
  if (probability <= 0 || count === 0) return 0;
  if (probability >= 1) return count;
  const mean = count * probability;
  if (count <= 20) {
    let hits = 0;
    for (let n = 0; n < count; n += 1) if (random() < probability) hits += 1;
    return hits;
  }
  const drawn = mean + Math.sqrt(mean * (1 - probability)) * standardNormal(random);
  return Math.min(count, Math.max(0, Math.round(drawn)));
}
