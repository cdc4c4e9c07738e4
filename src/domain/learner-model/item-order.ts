/**
 * The order in which a learner's items are stored: a place for each number. Who reads them numbers them by their places, so
 * that what was done last stands first and need not be told of again.
 */
export interface ItemOrder {
  /** The number of the item at each place. */
  readonly numbers: readonly number[];
  /** The place of each number. */
  readonly places: readonly number[];
  /** At each place: when it was worked on last, seconds since 1970; 0 where it never was. */
  readonly at: readonly number[];
}

/** As they are numbered, with no times. */
export function asNumbered(count: number): ItemOrder {
  const numbers = Array.from({ length: count }, (_, number) => number);
  return { numbers, places: numbers, at: numbers.map(() => 0) };
}

/** What a model knows of a learner's practice of a skill, so that what others keep of it can be told by the difference. */
export interface Practice {
  readonly attempts: number;
  readonly wins: number;
  /** Seconds since 1970 of the last answer; 0 or left out where that is not known. */
  readonly at?: number;
}
