import { firstSquares } from "./weight.ts";

/**
 * Weights of pairs: an item or a skill, and what was answered before it with which outcome. There are more pairs than could
 * each have a weight, so a hash deals them out to so many slots (Weinberger et al. 2009, "Feature hashing for large scale
 * multitask learning"); two that meet in one share it.
 */
export const slots = 1 << 18;

/** FNV-1a of the UTF-16 units, then mixed: the slots are made of its low bits. */
export function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let k = 0; k < id.length; k++) hash = Math.imul(hash ^ id.charCodeAt(k), 0x01000193);
  return mixed(hash);
}

/** The last step of MurmurHash3 (Austin Appleby, public domain): each bit of the input changes half of those of the output. */
function mixed(hash: number): number {
  let mixing = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixing = Math.imul(mixing ^ (mixing >>> 13), 0xc2b2ae35);
  return mixing ^ (mixing >>> 16);
}

/** Items and skills are told apart: an id may name one of each. */
export const pairsOf = { items: 0x2545f491, skills: 0x1e3779b9 } as const;

/** Of what came before: its hash, and how it was answered. */
export const hashBefore = (kind: number, hash: number, correct: boolean): number =>
  mixed((hash ^ kind) + (correct ? 0x27d4eb2f : 0));

/** Both are mixed already, so that a question's part is worked out once for all learners. */
export const slotOf = (before: number, hash: number): number => (before ^ hash) & (slots - 1);

const pageBits = 8;
const slotsOfPage = 1 << pageBits;

/** In single precision. */
interface Page {
  readonly values: Float32Array;
  /** Beyond the first. */
  readonly squares: Float32Array;
}

/** The weights by slot, made as they are needed: before the first thousand answers most of them never are. */
export class PairWeights {
  readonly #pages: (Page | undefined)[] = new Array(slots >>> pageBits);

  #flat: Float32Array | null = null;
  /** {@link #flat} is all there is, and there are no pages. */
  #onlyFlat = false;

  /**
   * Of the values of all slots, whose squares are 0: what was published, for who only predicts. One array, where pages were
   * two thousand, and nothing to copy for {@link values}. It is the weights' own from now on.
   */
  static ofValues(values: Float32Array): PairWeights {
    const made = new PairWeights();
    made.#flat = values;
    made.#onlyFlat = true;
    return made;
  }

  value(slot: number): number {
    if (this.#onlyFlat) return (this.#flat as Float32Array)[slot] as number;
    return this.#pages[slot >>> pageBits]?.values[slot & (slotsOfPage - 1)] ?? 0;
  }

  squares(slot: number): number {
    return this.#pages[slot >>> pageBits]?.squares[slot & (slotsOfPage - 1)] ?? 0;
  }

  set(slot: number, value: number, squares: number): void {
    if (this.#onlyFlat) this.#toPages();
    this.#flat = null;
    const page = this.#pages[slot >>> pageBits] ?? this.#add(slot >>> pageBits);
    page.values[slot & (slotsOfPage - 1)] = value;
    page.squares[slot & (slotsOfPage - 1)] = squares;
  }

  /** Before the first change: whoever has the values keeps them as they are. */
  #toPages(): void {
    const flat = this.#flat as Float32Array;
    this.#onlyFlat = false;
    for (let slot = 0; slot < slots; slot++) {
      if (flat[slot] !== 0) this.set(slot, flat[slot] as number, 0);
    }
  }

  #add(number: number): Page {
    const page = { values: new Float32Array(slotsOfPage), squares: new Float32Array(slotsOfPage) };
    this.#pages[number] = page;
    return page;
  }

  /** As step() of weight.ts. */
  step(slot: number, rate: number, gradient: number): void {
    const squares = this.squares(slot) + gradient * gradient;
    this.set(slot, this.value(slot) + (rate * gradient) / Math.sqrt(firstSquares + squares), squares);
  }

  /**
   * The values of all slots in one piece, for those who look at hundreds of them in a row: each look waits for memory once,
   * not three times. Never changed: made again after a change.
   */
  values(): Float32Array {
    if (this.#flat === null) {
      const flat = new Float32Array(slots);
      for (const [number, page] of this.#pages.entries())
        if (page !== undefined) flat.set(page.values, number << pageBits);
      this.#flat = flat;
    }
    return this.#flat;
  }

  /** Slots for which this holds, in order; those of pages that were never needed are passed over. */
  slotsWhere(holds: (value: number, squares: number) => boolean): number[] {
    const found: number[] = [];
    if (this.#onlyFlat) {
      const flat = this.#flat as Float32Array;
      for (let slot = 0; slot < slots; slot++) if (flat[slot] !== 0 && holds(flat[slot] as number, 0)) found.push(slot);
      return found;
    }
    for (const [number, page] of this.#pages.entries()) {
      if (page === undefined) continue;
      for (let k = 0; k < slotsOfPage; k++) {
        if (holds(page.values[k] as number, page.squares[k] as number)) found.push((number << pageBits) + k);
      }
    }
    return found;
  }
}
