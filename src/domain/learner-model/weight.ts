/**
 * Weights shared by all learners, trained by Adagrad (Duchi, Hazan, Singer 2011): one moves less the more it has moved. Each
 * is two numbers side by side in an array, its value and the sum of its squared gradients: hundreds of thousands of
 * weights as objects would take several times the memory, and each look at one would wait for it.
 */
export type Numbers = Float64Array | Float32Array;

/** Keeps the first steps from being as large as the rate itself. */
export const firstSquares = 0.3;

export const numbersOfWeight = 2;

/** So many weights of value 0. */
export function newWeights(count: number): Float64Array {
  const numbers = new Float64Array(numbersOfWeight * count);
  forget(numbers, 0);
  return numbers;
}

/** One step up the log likelihood. `gradient` is (correct - p) times the feature the weight multiplies. */
export function step(numbers: Numbers, at: number, rate: number, gradient: number): void {
  const squares = (numbers[at + 1] as number) + gradient * gradient;
  numbers[at + 1] = squares;
  numbers[at] = (numbers[at] as number) + (rate * gradient) / Math.sqrt(squares);
}

/** The share, 1 falling to 0, that a guess made before any answer still has beside what was learned since. */
export const shareOfPrior = (squares: number): number => firstSquares / squares;

/** Rows of a few weights each, by the id of an item or a skill, in the order in which the ids came. */
export class WeightTable {
  /** Weights in a row. */
  readonly width: number;
  readonly #rows: Map<string, number>;
  #numbers: Numbers;

  /** `numbers`: the rows of `ids`, as {@link rowNumbers} gave them; their type says how exact a weight is kept. */
  constructor(width: number, numbers: Numbers, ids: readonly string[] = []) {
    this.width = width;
    this.#numbers = numbers;
    this.#rows = new Map(ids.map((id, row) => [id, row * width * numbersOfWeight]));
  }

  get size(): number {
    return this.#rows.size;
  }

  ids(): string[] {
    return [...this.#rows.keys()];
  }

  /** Where the weights stand; others after the next {@link add}. */
  get numbers(): Numbers {
    return this.#numbers;
  }

  /** Of all rows, one after the other. */
  rowNumbers(): Numbers {
    return this.#numbers.subarray(0, this.size * this.width * numbersOfWeight);
  }

  /** Where the row begins in {@link numbers}; -1 where there is none. Weight k stands at 2 k after it. */
  find(id: string): number {
    return this.#rows.get(id) ?? -1;
  }

  /** The same; a row of weights of value 0 is added where there was none. */
  add(id: string): number {
    const known = this.#rows.get(id);
    if (known !== undefined) return known;
    const row = this.size * this.width * numbersOfWeight;
    const end = row + this.width * numbersOfWeight;
    if (end > this.#numbers.length) this.#grow(end);
    forget(this.#numbers, row, end);
    this.#rows.set(id, row);
    return row;
  }

  #grow(least: number): void {
    const length = Math.max(least, 2 * this.#numbers.length);
    const larger = this.#numbers instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
    larger.set(this.#numbers);
    this.#numbers = larger;
  }
}

function forget(numbers: Numbers, from: number, to = numbers.length): void {
  for (let at = from; at < to; at += numbersOfWeight) {
    numbers[at] = 0;
    numbers[at + 1] = firstSquares;
  }
}
