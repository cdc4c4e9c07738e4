import { learnerStream } from "../domain/streams.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { EventStore } from "../ports/event-store.ts";

export interface History {
  readonly learnerId: string;
  /** Newest first, as stored; `title` is the item's as it is called now, null where it is not known. */
  readonly events: readonly {
    readonly revision: number;
    readonly position: number;
    readonly type: string;
    readonly recordedAt: string;
    readonly title: string | null;
    readonly data: unknown;
  }[];
  /** Give it as `before` to read on; null at the beginning of the learner's history. */
  readonly nextBefore: number | null;
}

/** What a learner did, from the log itself: complete the moment a POST is answered. */
export async function learnerHistory(
  deps: { readonly eventStore: Pick<EventStore, "readStream">; readonly catalogue: CatalogueReader },
  learnerId: string,
  request: { readonly before?: number | undefined; readonly count: number },
): Promise<History> {
  const { before, count } = request;
  const from = before === undefined ? {} : { from: before - 1 };
  const events =
    before !== undefined && before <= 1
      ? []
      : await deps.eventStore.readStream(learnerStream(learnerId), { ...from, direction: "backwards", limit: count });
  const { items } = deps.catalogue.catalogue;
  const last = events[events.length - 1];
  return {
    learnerId,
    events: events.map(({ revision, position, type, recordedAt, data }) => {
      const title = items.get(itemIdOf(data) ?? "")?.title ?? null;
      return { revision, position, type, recordedAt, title, data };
    }),
    nextBefore: last === undefined || last.revision <= 1 ? null : last.revision,
  };
}

function itemIdOf(data: unknown): string | null {
  if (typeof data !== "object" || data === null || !("itemId" in data)) return null;
  return typeof data.itemId === "string" ? data.itemId : null;
}
