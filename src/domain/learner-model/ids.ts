import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { readIds, writeIds } from "../id-shapes.ts";

/** Look-ups in a row that are answered by walking the list; then an index pays. */
const walksMax = 8;

/**
 * Ids numbered from 0 in the order in which they came. A learner has dozens of skills and hundreds of items, so what is
 * kept of each lies in arrays side by side, by number. The index is made when it pays: a state that is read to fold one
 * event in never needs it.
 */
export class Ids {
  readonly list: string[];
  #index: Map<string, number> | null = null;
  #walks = 0;

  constructor(list: string[] = []) {
    this.list = list;
  }

  static read(reader: ByteReader): Ids {
    return new Ids(readIds(reader));
  }

  /** In this order of their numbers, or as they are numbered; who reads them numbers them so. */
  write(writer: ByteWriter, order: readonly number[] | null = null): void {
    writeIds(this.list, writer, order);
  }

  /** -1 where it is not known. */
  find(id: string): number {
    if (this.#index !== null) return this.#index.get(id) ?? -1;
    this.#walks += 1;
    if (this.#walks > walksMax && this.list.length > walksMax) {
      this.#index = new Map(this.list.map((one, number) => [one, number]));
    }
    return this.list.indexOf(id);
  }

  /** Its number, a new one where it was not known. */
  add(id: string): number {
    const known = this.find(id);
    if (known >= 0) return known;
    const number = this.list.push(id) - 1;
    this.#index?.set(id, number);
    return number;
  }
}

/** What a learner ever met. The learner's state and the model's part of it number by the same. */
export interface LearnerIds {
  readonly items: Ids;
  readonly skills: Ids;
}

export const newLearnerIds = (): LearnerIds => ({ items: new Ids(), skills: new Ids() });
