import { mix } from "./pieces.ts";

/** What makes a list this one. Texts as their checksums. */
export interface SelectionFacts {
  readonly learner: number;
  readonly made: number;
  readonly modelVersion: number;
  readonly revision: number;
  readonly position: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/**
 * The id of a list: 96 bits in three lanes that share nothing but what goes in. The same list has the same id, so that an answer
 * can name the list it follows from without a write for each query. It is asked of chance only that no two lists of one
 * learner meet, and that it tells nothing of what is in them: SHA-256 did the same in a tenth of a request.
 */
export class SelectionId {
  #a = 0x243f6a88;
  #b = 0x85a308d3 | 0;
  #c = 0x13198a2e;

  constructor({ learner, made, modelVersion, revision, position, time }: SelectionFacts) {
    this.add(learner);
    this.add(made);
    this.add(modelVersion);
    this.add(revision);
    this.#long(position);
    this.#long(time);
  }

  /** 32 bits, of an item: in the order of the list. */
  add(word: number): void {
    this.#a = mix(this.#a, word);
    this.#b = mix(this.#b, Math.imul(word, 0x9e3779b1) + 0x3c6ef372);
    this.#c = mix(this.#c, Math.imul(word ^ 0x27d4eb2f, 0xc2b2ae3d));
  }

  #long(value: number): void {
    this.add((value % 0x1_0000_0000) | 0);
    this.add((value / 0x1_0000_0000) | 0);
  }

  /** The first lane, 0 to 2^32 - 1: as good as drawn by chance. */
  get chance(): number {
    return finished(this.#a);
  }

  /** The second lane, likewise. */
  get check(): number {
    return finished(this.#b);
  }

  /** 24 hexadecimal digits, the first eight those of `chance`. */
  get text(): string {
    return hex(finished(this.#a)) + hex(finished(this.#b)) + hex(finished(this.#c));
  }
}

/** Each bit depends on all: the last step of MurmurHash3. */
function finished(lane: number): number {
  let h = lane ^ (lane >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Of a byte: these stay in the processor's cache, where all of 16 bits would not. */
const digits = Array.from({ length: 0x100 }, (_, value) => value.toString(16).padStart(2, "0"));
/** Eight hexadecimal digits of 0 to 2^32 - 1. */
export const hex = (value: number): string =>
  (digits[value >>> 24] as string) +
  (digits[(value >>> 16) & 0xff] as string) +
  (digits[(value >>> 8) & 0xff] as string) +
  (digits[value & 0xff] as string);
