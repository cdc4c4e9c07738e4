import type { HourOfArrivals } from "../../domain/scaling/day-profile.ts";
import type { Feed } from "../../ports/feed.ts";
import { positionAbout } from "../time-travel/place.ts";

/** Events that came into the log in each hour of the last days. */
export interface ArrivalsByHour {
  /**
   * Of the hours that are over and lie wholly in the log, oldest first. Reads about twenty single events for each hour that it
   * does not know yet. Empty where the log cannot be read from any place (EventStoreDB).
   */
  read(now: number): Promise<readonly HourOfArrivals[]>;
}

const hourMs = 3_600_000;

/**
 * From positions alone, which count all events of the log: the shape of a day, not how many interactions there were. Memory: one
 * position for each hour.
 */
export function createArrivalsByHour(feed: Pick<Feed, "read" | "head">, days = 7): ArrivalsByHour {
  /** Where the log stood at the beginning of an hour, by that time in milliseconds. */
  const known = new Map<number, number>();

  async function positionAt(time: number, head: number): Promise<number | null> {
    const before = [...known].filter(([at]) => at < time).map(([, position]) => position);
    const after = [...known].filter(([at]) => at > time).map(([, position]) => position);
    const between = { low: Math.max(0, ...before), high: Math.min(head, ...after) };
    return known.get(time) ?? positionAbout(feed, time, between);
  }

  return {
    async read(now) {
      const head = await feed.head();
      const last = Math.floor(now / hourMs) * hourMs;
      const first = last - days * 24 * hourMs;
      for (const at of known.keys()) if (at < first) known.delete(at);
      const marks: { readonly at: number; readonly position: number }[] = [];
      for (let at = first; at <= last; at += hourMs) {
        const position = await positionAt(at, head);
        if (position === null) return [];
        known.set(at, position);
        marks.push({ at, position });
      }
      // Of an hour before the first event it is not known whether anybody was there.
      const begun = marks.findIndex(({ position }) => position > 0);
      return begun < 0
        ? []
        : marks.slice(begun, -1).map(({ at, position }, index) => ({
            startSeconds: at / 1000,
            events: (marks[begun + index + 1]?.position ?? position) - position,
          }));
    },
  };
}
