import type { Turn } from "./selection.ts";

/** Which candidate stands at each place after exploration, and with what probability the policy put it there. */
export interface Explored {
  /** Index of the candidate (0 = best) at each place. */
  readonly ranks: readonly number[];
  readonly propensities: readonly number[];
}

/**
 * Randomises the best `places` of `candidates` candidates at rate `rate`: going down the places, each with probability
 * `rate` swaps its candidate with one drawn uniformly from itself and all that stand below, in the list or out of it.
 * So every candidate can come to the first place, and none stands twice.
 *
 * The propensity is the exact probability, over all draws, that this candidate ends at this place. Place i (from 0)
 * draws any given candidate below it with probability e_i = rate / (candidates - i). A candidate not drawn away before
 * place i, which is A_i = (1 - e_0)...(1 - e_(i-1)), is at its own place i; there it stays unless swapped, and once
 * swapped down it is equally likely to be anywhere below, and remains so. Hence, with i = min(rank, place):
 * P = A_i x e_i where rank and place differ, and A_i x (1 - rate + e_i) where they are the same.
 */
export function explore(
  candidates: number,
  places: number,
  rate: number,
  seed: string,
  onTurn?: (turn: Turn) => void,
): Explored {
  const order: number[] = [];
  for (let rank = 0; rank < candidates; rank++) order.push(rank);
  const draw = uniforms(seed);
  const untouched: number[] = [];
  let notDrawn = 1;
  for (let place = 0; place < places; place++) {
    untouched.push(notDrawn);
    const left = candidates - place;
    notDrawn *= 1 - rate / left;
    const coin = draw();
    const other = place + Math.floor(draw() * left);
    onTurn?.({ coin, drawn: other });
    if (coin >= rate) continue;
    const here = order[place] ?? place;
    order[place] = order[other] ?? place;
    order[other] = here;
  }
  const propensities: number[] = [];
  for (let place = 0; place < places; place++) {
    propensities.push(propensityOf(order[place] ?? place, place, candidates, rate, untouched));
  }
  order.length = Math.min(candidates, places);
  return { ranks: order, propensities };
}

/** The formula of {@link explore}; `untouched`: A_i of each place up to this one. */
function propensityOf(
  rank: number,
  place: number,
  candidates: number,
  rate: number,
  untouched: readonly number[],
): number {
  const first = Math.min(rank, place);
  const drawn = rate / (candidates - first);
  return (untouched[first] ?? 0) * (rank === place ? 1 - rate + drawn : drawn);
}

/** With what probability {@link explore} puts each candidate, by its rank, at a place. They add up to 1. */
export function propensitiesAt(place: number, candidates: number, rate: number): number[] {
  const untouched = [1];
  for (let at = 0; at < place; at++) untouched.push((untouched[at] ?? 0) * (1 - rate / (candidates - at)));
  return Array.from({ length: candidates }, (_, rank) => propensityOf(rank, place, candidates, rate, untouched));
}

/**
 * Numbers in [0, 1) that look random and depend on the seed only: FNV-1a of the seed, then a counter through the
 * finaliser of MurmurHash3 (32 bits each).
 */
export function uniforms(seed: string): () => number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < seed.length; index++) {
    hash = Math.imul(hash ^ seed.charCodeAt(index), 0x01000193);
  }
  let counter = scramble(hash);
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    return (scramble(counter) >>> 0) / 2 ** 32;
  };
}

function scramble(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
