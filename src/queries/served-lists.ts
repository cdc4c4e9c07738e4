import type { ItemsServed } from "../domain/events.ts";
import type { Rendered } from "./rendered.ts";

/** Where lists that are given out are recorded: it neither waits nor throws. */
export interface ServedLists {
  readonly share: number;
  offer(list: () => ItemsServed): void;
}

/** Remembered are the last ones, so many at least. */
const offeredMax = 20_000;

/**
 * Offers the list of an answer that has one to be recorded, once for each time it was rendered; lists that were rendered again because
 * their rows had to make room are not offered again while they are remembered (the log would store each once anyway).
 */
export function offerOnce(served: ServedLists | undefined): (answer: Rendered) => void {
  // By a part of their ids, with another part: a number is found in a tenth of the time in which a text is.
  let offered = new Map<number, number>();
  let before = new Map<number, number>();
  return (answer) => {
    const { toRecord } = answer;
    if (toRecord === null) return;
    answer.toRecord = null;
    // Of 32 bits with a sign V8 makes no fractions.
    const [chance, check] = [toRecord.id.chance | 0, toRecord.id.check | 0];
    if (offered.get(chance) === check) return;
    if (before.get(chance) !== check) served?.offer(toRecord.list);
    if (offered.size >= offeredMax) {
      before = offered;
      offered = new Map();
    }
    offered.set(chance, check);
  };
}
