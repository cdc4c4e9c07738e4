import { decodeEvent } from "../../domain/decode-event.ts";
import type { ItemsServed } from "../../domain/events.ts";
import type { Feed } from "../../ports/feed.ts";

/** A list that was given out and can be asked again of another policy. */
export interface ServedList extends ItemsServed {
  /** When it was given out, milliseconds since 1970. */
  readonly servedAt: number;
  /** Of the log: what the list was made of ends here. */
  readonly asOf: number;
}

/** Lists that tell nothing, by the reason. */
export interface PassedOver {
  /** Of learners nothing was known of: chosen by popularity, which the log does not repeat. */
  newLearner: number;
  /** The read models were away: an older list served. */
  stale: number;
  /** Items were passed over, so that places are not those of the selection. */
  cut: number;
}

export interface ServedLists {
  /** By learner. */
  readonly lists: ReadonlyMap<string, readonly ServedList[]>;
  readonly count: number;
  readonly passedOver: PassedOver;
}

export interface ServedRange {
  readonly trackId: string;
  /** Of the log: after `from` up to `to`. */
  readonly from: number;
  readonly to: number;
}

const pageSize = 2_000;

/** The lists of a track in a part of the log; they are held in memory, about 2 kB each. */
export async function servedInLog(
  feed: Pick<Feed, "read">,
  { trackId, from, to }: ServedRange,
  onPage: (events: number) => void,
): Promise<ServedLists> {
  const lists = new Map<string, ServedList[]>();
  const passedOver: PassedOver = { newLearner: 0, stale: 0, cut: 0 };
  let count = 0;
  for (let position = from, atHead = false; !atHead && position < to; ) {
    const page = await feed.read(position, pageSize, { categories: ["served"] });
    onPage(page.events.length);
    for (const stored of page.events) {
      const event = decodeEvent(stored);
      if (event.position > to || event.type !== "ItemsServed" || event.data.trackId !== trackId) continue;
      count += 1;
      const { data } = event;
      if (data.revision === 0) passedOver.newLearner += 1;
      else if (data.source === "stale") passedOver.stale += 1;
      else if (data.cut === true) passedOver.cut += 1;
      else {
        const asOf = data.computed === "precomputed" ? data.position : event.position;
        const list = { ...data, servedAt: Date.parse(event.recordedAt), asOf };
        const known = lists.get(data.learnerId);
        if (known === undefined) lists.set(data.learnerId, [list]);
        else known.push(list);
      }
    }
    ({ position, atHead } = page);
  }
  return { lists, count, passedOver };
}
