import type { StoredEvent } from "../../domain/stored-event.ts";
import type { Feed } from "../../ports/feed.ts";

/** A place in the log: everything up to a position, and the clock as it stood then. */
export interface Place {
  /** Of the last event that is known; 0 before the first. */
  readonly position: number;
  /** Milliseconds since 1970: the time asked for, or where a position was asked for, that of its event. */
  readonly time: number;
}

/** A place that was written otherwise than as a time or a position, lies ahead, or is none: the message says which. */
export class NoSuchPlace extends Error {
  override readonly name = "NoSuchPlace";
}

export interface Places {
  /** `at`: ISO 8601 with its offset, or a position. Rejects with {@link NoSuchPlace}. */
  find(at: string): Promise<Place>;
}

const timePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;
/** Clocks of the processes that write differ by so little that later events do not lie farther behind. */
const skewEvents = 1_000;
const pageSize = 2_000;

/** What `at` means: a position, or a time in milliseconds since 1970. Throws {@link NoSuchPlace}. */
export function parseAt(at: string): { readonly position: number } | { readonly time: number } {
  if (/^\d{1,16}$/.test(at) && Number.isSafeInteger(Number(at))) return { position: Number(at) };
  // In a query string a plus sign is a blank: an offset that was not escaped is meant all the same.
  const text = at.replace(" ", "+");
  const time = timePattern.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new NoSuchPlace("is a position or a time like 2026-03-01T08:00:00Z");
  return { time };
}

/** `now`: milliseconds since 1970. */
export function createPlaces(feed: Pick<Feed, "read" | "head">, now: () => number): Places {
  const marks = createMarks(feed);

  async function atPosition(position: number): Promise<Place> {
    const head = await feed.head();
    if (position > head) throw new NoSuchPlace(`the log ends at position ${head}`);
    if (position === 0) return { position, time: 0 };
    const [event] = (await readAt(feed, position - 1, 1)) ?? [];
    if (event?.position !== position) throw new NoSuchPlace(`${position} is no position of this log`);
    return { position, time: Date.parse(event.recordedAt) };
  }

  async function atTime(time: number): Promise<Place> {
    if (time > now()) throw new NoSuchPlace("lies in the future");
    return { position: (await bisect(feed, time)) ?? (await marks.lastAt(time)), time };
  }

  return {
    async find(at) {
      const asked = parseAt(at);
      return "position" in asked ? atPosition(asked.position) : atTime(asked.time);
    },
  };
}

/** null for a place that this log cannot be read from. */
async function readAt(feed: Pick<Feed, "read">, after: number, limit: number): Promise<readonly StoredEvent[] | null> {
  try {
    return (await feed.read(after, limit)).events;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/**
 * The last event recorded at or before a time: positions and times grow together, but for the differences between clocks.
 * null where the log can be read from some places only.
 */
async function bisect(feed: Pick<Feed, "read" | "head">, time: number): Promise<number | null> {
  const low = await positionAbout(feed, time, { low: 0, high: await feed.head() });
  if (low === null) return null;
  // The same answer wherever the halving came down among events of clocks that differ.
  const near = await readAt(feed, low, skewEvents);
  return near === null ? null : (lastRecordedBy(near, time)?.position ?? low);
}

/**
 * Where the log stood at a time, by halving between two positions, one event read at each step: exact but for the differences between
 * clocks, or to `within` events. null where the log can be read from some places only.
 */
export async function positionAbout(
  feed: Pick<Feed, "read">,
  time: number,
  between: { readonly low: number; readonly high: number },
  within = 0,
): Promise<number | null> {
  let { low, high } = between;
  while (high - low > within) {
    const middle = Math.floor((low + high) / 2);
    const events = await readAt(feed, middle, 1);
    if (events === null) return null;
    const [event] = events;
    if (event === undefined || Date.parse(event.recordedAt) > time) high = middle;
    else low = event.position;
  }
  return low;
}

const lastRecordedBy = (events: readonly StoredEvent[], time: number): StoredEvent | undefined =>
  events.findLast(({ recordedAt }) => Date.parse(recordedAt) <= time);

interface Mark {
  readonly position: number;
  readonly time: number;
}

/** For logs whose positions are no whole row (EventStoreDB): they are gone through once, and every page leaves a mark. */
function createMarks(feed: Pick<Feed, "read">): { lastAt(time: number): Promise<number> } {
  const marks: Mark[] = [{ position: 0, time: 0 }];
  let reading = Promise.resolve();

  async function extend(until: number): Promise<void> {
    for (let last = marks.at(-1) as Mark; last.time <= until; ) {
      const page = await feed.read(last.position, pageSize);
      const event = page.events.at(-1);
      const time = event === undefined ? 0 : Date.parse(event.recordedAt);
      last = { position: page.position, time: Math.max(last.time, time) };
      // What stands at the head is read again: more may come before the page is full.
      if (page.atHead) return;
      marks.push(last);
    }
  }

  return {
    async lastAt(time) {
      reading = reading.catch(() => undefined).then(() => extend(time));
      await reading;
      let { position: found } = marks.findLast((mark) => mark.time <= time) ?? { position: 0 };
      for (let from = found, pages = 0; pages < 2; pages += 1) {
        const page = await feed.read(from, pageSize);
        found = lastRecordedBy(page.events, time)?.position ?? found;
        from = page.position;
      }
      return found;
    },
  };
}
