/**
 * A set of items of a bank (or of its skills) by their index, emptied at no cost: a mark counts as long as it has the number of the round. One
 * is used for selection after selection, since to make a set for each takes longer than much of the selection.
 */
export class ItemMarks {
  #rounds = new Uint32Array(256);
  #round = 0;

  /** Empties it, for a bank of so many items. */
  begin(items: number): void {
    if (items > this.#rounds.length || this.#round === 0xffffffff) {
      this.#rounds = new Uint32Array(2 * items);
      this.#round = 0;
    }
    this.#round += 1;
  }

  add(index: number): void {
    this.#rounds[index] = this.#round;
  }

  has(index: number): boolean {
    return this.#rounds[index] === this.#round;
  }
}
