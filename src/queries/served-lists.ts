import { LRUCache } from "lru-cache";
import type { ItemsServed } from "../domain/events.ts";
import type { Rendered } from "./rendered.ts";

/** Where lists that are given out are recorded: it neither waits nor throws. */
export interface ServedLists {
  readonly share: number;
  offer(list: () => ItemsServed): void;
}

const offeredMax = 20_000;

/** Offers the list of an answer that has one to be recorded, once for each time it was rendered. */
export function offerOnce(served: ServedLists | undefined): (answer: Rendered) => void {
  // Lists that were rendered again because their rows had to make room: the log would store each once anyway.
  const offered = new LRUCache<string, true>({ max: offeredMax });
  return (answer) => {
    const { toRecord } = answer;
    if (toRecord === null) return;
    answer.toRecord = null;
    if (offered.has(toRecord.selectionId)) return;
    served?.offer(toRecord.list);
    offered.set(toRecord.selectionId, true);
  };
}
