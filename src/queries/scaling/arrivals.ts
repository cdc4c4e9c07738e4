import { type SpanOfArrivals, spanSeconds } from "../../domain/scaling/day-profile.ts";
import type { Feed } from "../../ports/feed.ts";
import { positionAbout } from "../time-travel/place.ts";

/** Events that came into the log in each five minutes of the last days. */
export interface ArrivalsBySpan {
  /**
   * Of the hours that are over and lie wholly in the log, oldest first. Reads about a hundred single events for each hour that it
   * does not know yet. Empty where the log cannot be read from any place (EventStoreDB).
   */
  read(now: number): Promise<readonly SpanOfArrivals[]>;
}

const hourMs = 3_600_000;
const spanMs = spanSeconds * 1000;
/** Within an hour a place is as good as known when it is known to this share of the hour's events. */
const preciseTo = 1 / 128;

/**
 * From positions alone, which count all events of the log: the shape of a day, not how many interactions there were. Memory: one
 * position for each five minutes.
 */
export function createArrivalsBySpan(feed: Pick<Feed, "read" | "head">, days = 7): ArrivalsBySpan {
  /** Where the log stood at a time in milliseconds. */
  const known = new Map<number, number>();

  async function positionAt(time: number, between: { low: number; high: number }, within = 0): Promise<number | null> {
    const position = known.get(time) ?? (await positionAbout(feed, time, between, within));
    if (position !== null) known.set(time, position);
    return position;
  }

  /** The log at each full hour, exactly; null where it cannot be read from any place. */
  async function hours(first: number, last: number): Promise<{ at: number; position: number }[] | null> {
    let high = await feed.head();
    const marks: { at: number; position: number }[] = [];
    // From the last on: of the hours before the log began there is nothing to ask.
    for (let at = last; at >= first; at -= hourMs) {
      const position = await positionAt(at, { low: 0, high });
      if (position === null) return null;
      marks.push({ at, position });
      high = position;
    }
    marks.reverse();
    return marks;
  }

  /** The events of an hour by its spans. */
  async function spansOf(from: { at: number; position: number }, end: number): Promise<SpanOfArrivals[]> {
    const within = Math.floor((end - from.position) * preciseTo);
    const spans: SpanOfArrivals[] = [];
    let low = from.position;
    for (let at = from.at; at < from.at + hourMs; at += spanMs) {
      const isLast = at + spanMs === from.at + hourMs;
      const position = isLast ? end : ((await positionAt(at + spanMs, { low, high: end }, within)) ?? low);
      spans.push({ startSeconds: at / 1000, events: position - low });
      low = position;
    }
    return spans;
  }

  return {
    async read(now) {
      const last = Math.floor(now / hourMs) * hourMs;
      const first = last - days * 24 * hourMs;
      for (const at of known.keys()) if (at < first) known.delete(at);
      const marks = await hours(first, last);
      // Of an hour before the first event it is not known whether anybody was there.
      const begun = marks?.findIndex(({ position }) => position > 0) ?? -1;
      if (marks === null || begun < 0) return [];
      const spans: SpanOfArrivals[] = [];
      for (let at = begun; at + 1 < marks.length; at += 1) {
        const [from, to] = [marks[at], marks[at + 1]];
        if (from !== undefined && to !== undefined) spans.push(...(await spansOf(from, to.position)));
      }
      return spans;
    },
  };
}
