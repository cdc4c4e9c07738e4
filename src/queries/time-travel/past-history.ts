import { learnerStream } from "../../domain/streams.ts";
import type { EventStore } from "../../ports/event-store.ts";
import { type History, learnerHistory } from "../history.ts";
import type { Past } from "./past.ts";

/** What a learner had done by then, newest first. */
export async function historyAt(
  { store, catalogue, place }: Past,
  learnerId: string,
  { before = Number.MAX_SAFE_INTEGER, count }: { readonly before?: number | undefined; readonly count: number },
): Promise<History> {
  const last = await revisionAt(store, learnerStream(learnerId), place.position);
  return learnerHistory({ eventStore: store, catalogue }, learnerId, { before: Math.min(before, last + 1), count });
}

/** Revision of the last event of a stream up to a position, by halving; 0 for none. */
export async function revisionAt(
  store: Pick<EventStore, "readStream">,
  stream: string,
  position: number,
): Promise<number> {
  const [newest] = await store.readStream(stream, { direction: "backwards", limit: 1 });
  let low = 0;
  let high = newest?.revision ?? 0;
  if (newest !== undefined && newest.position <= position) return high;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const [event] = await store.readStream(stream, { from: middle, limit: 1 });
    if (event !== undefined && event.position <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
