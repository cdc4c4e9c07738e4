/**
 * The items a learner ever met, numbered in that order. A learner has hundreds, so what is kept of each lies in arrays
 * side by side instead of in an object each: that is a third of the memory, and several times as fast to write.
 */
export interface ItemsSeen {
  readonly ids: string[];
  readonly numbers: Map<string, number>;
  /** By number: latest time it was answered or viewed, milliseconds since 1970; {@link never} when neither. */
  readonly engagedAt: number[];
  /** By number: twice the answers given, and 1 where a hint was asked for since the last one. */
  readonly answers: number[];
}

export const never = -1;

export const noItemsSeen = (): ItemsSeen => ({ ids: [], numbers: new Map(), engagedAt: [], answers: [] });

/** The number of an item, which is new or met again. */
export function meetItem(items: ItemsSeen, itemId: string): number {
  const known = items.numbers.get(itemId);
  if (known !== undefined) return known;
  const number = items.ids.push(itemId) - 1;
  items.numbers.set(itemId, number);
  items.engagedAt.push(never);
  items.answers.push(0);
  return number;
}

/** Notes that the learner worked on it; times may go back. Returns the latest time before, null for never. */
export function engage(items: ItemsSeen, number: number, at: number): number | null {
  const before = items.engagedAt[number] ?? never;
  items.engagedAt[number] = Math.max(before, at);
  return before === never ? null : before;
}

export function noteHint(items: ItemsSeen, number: number): void {
  items.answers[number] = (items.answers[number] ?? 0) | 1;
}

/** Counts an answer. Says whether it was the first, and whether a hint was asked for since the one before. */
export function noteAnswer(items: ItemsSeen, number: number): { first: boolean; hinted: boolean } {
  const before = items.answers[number] ?? 0;
  items.answers[number] = (before & ~1) + 2;
  return { first: before < 2, hinted: (before & 1) === 1 };
}
