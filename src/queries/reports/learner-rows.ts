/**
 * What learners did, as rows of numbers for a fit that goes over them several times: as many as fit. When it is full, half
 * of the learners go, with all their rows, by a hash of their id: what is left is a fair draw of whole learners, the
 * same one each time. 12 bytes a row.
 */
export class LearnerRows {
  #learners = new Uint32Array(1024);
  #keys = new Uint32Array(1024);
  #values = new Uint32Array(1024);
  #hashes = new Map<number, number>();
  #mask = 0;
  readonly #rowsMax: number;
  length = 0;

  constructor(rowsMax = 4_000_000) {
    this.#rowsMax = rowsMax;
  }

  /** Share of the learners whose rows are kept. */
  get share(): number {
    return 1 / (this.#mask + 1);
  }

  /** `hash`: of the learner's id, the same at each call. */
  add(learner: number, hash: number, key: number, value: number): void {
    if ((hash & this.#mask) !== 0) return;
    if (this.length === this.#rowsMax) this.#halve();
    if ((hash & this.#mask) !== 0) return;
    if (this.length === this.#learners.length) this.#grow();
    this.#hashes.set(learner, hash);
    this.#learners[this.length] = learner;
    this.#keys[this.length] = key;
    this.#values[this.length] = value;
    this.length += 1;
  }

  /** Views of what is held, to be read only. */
  columns(): { readonly learners: Uint32Array; readonly keys: Uint32Array; readonly values: Uint32Array } {
    return {
      learners: this.#learners.subarray(0, this.length),
      keys: this.#keys.subarray(0, this.length),
      values: this.#values.subarray(0, this.length),
    };
  }

  #halve(): void {
    // One learner with more rows than fit would halve for ever: past 1 in 2^20 the oldest rows are as good as any.
    if (this.#mask >= 0xfffff) throw new RangeError("too many rows of one learner");
    this.#mask = this.#mask * 2 + 1;
    let kept = 0;
    for (let row = 0; row < this.length; row++) {
      const learner = this.#learners[row] as number;
      if (((this.#hashes.get(learner) ?? 0) & this.#mask) !== 0) continue;
      this.#learners[kept] = learner;
      this.#keys[kept] = this.#keys[row] as number;
      this.#values[kept] = this.#values[row] as number;
      kept += 1;
    }
    this.length = kept;
    for (const [learner, hash] of this.#hashes) if ((hash & this.#mask) !== 0) this.#hashes.delete(learner);
  }

  #grow(): void {
    const size = Math.min(this.#rowsMax, this.#learners.length * 2);
    const grown = (column: Uint32Array): Uint32Array<ArrayBuffer> => {
      const larger = new Uint32Array(size);
      larger.set(column);
      return larger;
    };
    this.#learners = grown(this.#learners);
    this.#keys = grown(this.#keys);
    this.#values = grown(this.#values);
  }
}

/** FNV-1a, 32 bits, mixed once more so that its low bits are as good as its high ones. */
export function hashOf(id: string): number {
  let hash = 2_166_136_261;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 16_777_619);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
