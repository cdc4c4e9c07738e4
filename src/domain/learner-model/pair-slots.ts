import { firstSquares } from "./weight.ts";

/**
 * Weights of pairs: an item or a skill, and what was answered before it with which outcome. There are more pairs than could
 * each have a weight, so a hash deals them out to so many slots (Weinberger et al. 2009, "Feature hashing for large scale
 * multitask learning"); two that meet in one share it.
 */
export const slots = 1 << 18;

/** FNV-1a of the UTF-16 units. */
export function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let k = 0; k < id.length; k++) hash = Math.imul(hash ^ id.charCodeAt(k), 0x01000193);
  return hash;
}

/** Items and skills are told apart: an id may name one of each. */
export const pairsOf = { items: 0x2545f491, skills: 0x9e3779b9 | 0 } as const;

/** Of what came before: its hash, and how it was answered. */
export function hashBefore(kind: number, hash: number, correct: boolean): number {
  return Math.imul(hash ^ kind, 0x85ebca6b) + (correct ? 0x27d4eb2f : 0);
}

export function slotOf(before: number, hash: number): number {
  let mixed = Math.imul(before ^ (before >>> 15), 0xc2b2ae35) ^ hash;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0x297a2d39);
  return (mixed ^ (mixed >>> 16)) & (slots - 1);
}

const pageBits = 8;
const slotsOfPage = 1 << pageBits;

/** The weights by slot, made as they are needed: before the first thousand answers most of them never are. */
export class PairWeights {
  /** Of each slot its value, and its squares beyond the first, in single precision. */
  readonly #pages: (Float32Array | undefined)[] = new Array(slots >>> pageBits);

  value(slot: number): number {
    const page = this.#pages[slot >>> pageBits];
    return page === undefined ? 0 : (page[2 * (slot & (slotsOfPage - 1))] as number);
  }

  squares(slot: number): number {
    const page = this.#pages[slot >>> pageBits];
    return page === undefined ? 0 : (page[2 * (slot & (slotsOfPage - 1)) + 1] as number);
  }

  set(slot: number, value: number, squares: number): void {
    const number = slot >>> pageBits;
    let page = this.#pages[number];
    if (page === undefined) {
      page = new Float32Array(2 * slotsOfPage);
      this.#pages[number] = page;
    }
    page[2 * (slot & (slotsOfPage - 1))] = value;
    page[2 * (slot & (slotsOfPage - 1)) + 1] = squares;
  }

  /** As step() of weight.ts. */
  step(slot: number, rate: number, gradient: number): void {
    const squares = this.squares(slot) + gradient * gradient;
    this.set(slot, this.value(slot) + (rate * gradient) / Math.sqrt(firstSquares + squares), squares);
  }

  /** Slots for which this holds, in order; those of pages that were never needed are passed over. */
  slotsWhere(holds: (value: number, squares: number) => boolean): number[] {
    const found: number[] = [];
    for (const [number, page] of this.#pages.entries()) {
      if (page === undefined) continue;
      for (let k = 0; k < slotsOfPage; k++) {
        if (holds(page[2 * k] as number, page[2 * k + 1] as number)) found.push((number << pageBits) + k);
      }
    }
    return found;
  }
}
