import type { EventStoreDBClient } from "@eventstore/db-client";
import type { StoredEvent } from "../../../ports/event-store.ts";
import type { Feed, FeedPage } from "../../../ports/feed.ts";
import type { Log } from "../../../ports/log.ts";
import { checkLimit, checkPosition } from "../checks.ts";
import { createWaiters } from "../waiters.ts";
import { trying } from "./client.ts";
import { type ServerFilter, serverFilter } from "./events.ts";
import { readHead, scan } from "./reads.ts";
import { type Cursor, openCursor } from "./subscription.ts";

export interface FeedOptions {
  readonly client: EventStoreDBClient;
  readonly log: Log;
  readonly deadlineMs: number;
  /** A subscription that owes events for so long is dropped, milliseconds. */
  readonly silenceMs: number;
}

/** Subscriptions kept open for readers that come back. */
const cursorsMax = 16;
const idleMs = 60_000;
/** How long a reader waits for a subscription before it looks for itself, and for more to come after something came. */
const graceMs = 50;
const moreMs = 5;
/** Events looked at in one read of the log, at most. */
const windowMax = 1_000;
const pollMs = 500;

/**
 * The feed: a filtered catch-up subscription to $all for whoever reads on where they stopped, a plain read for a page
 * asked for once. Where a subscription has nothing, the reader looks at the log itself: so a page says for certain
 * whether it ends at the head, and a subscription that has gone silent (this client's are known to, without an error)
 * costs time, never events.
 */
export function createEventStoreDbFeed({ client, log, deadlineMs, silenceMs }: FeedOptions) {
  const cursors = new Set<Cursor>();
  const ends = createEnds(256);
  let closed = false;
  const waiters = createWaiters({ onFirst: () => startLooking(), onLast: () => clearInterval(looking) });
  let looking: NodeJS.Timeout | undefined;
  const sweeping = setInterval(sweep, idleMs / 2).unref();

  function startLooking(): void {
    looking = setInterval(look, pollMs);
    look();
  }
  function look(): void {
    // Where the server cannot be asked, those who wait are woken when their time is up.
    head().then(waiters.reached, () => {});
  }

  const head = (): Promise<number> => trying(deadlineMs, "where the log ends", (ms) => readHead(client, ms, false));
  const lookAt = (after: number, limit: number, filter: ServerFilter) =>
    trying(deadlineMs, `the log after ${after}`, (ms) => scan(client, ms, after, { window: windowMax, limit }, filter));

  function sweep(): void {
    for (const cursor of cursors) if (performance.now() - cursor.usedAt > idleMs) drop(cursor);
  }
  function drop(cursor: Cursor): void {
    cursors.delete(cursor);
    cursor.close();
  }

  /** The subscription that stands there, out of the pool; a new one for whoever was handed this position before. */
  function takeCursor(filter: ServerFilter, after: number): Cursor | null {
    for (const cursor of cursors) {
      if (cursor.filter.key !== filter.key || cursor.position !== after) continue;
      cursors.delete(cursor);
      if (isUsable(cursor)) return cursor;
    }
    return ends.has(filter.key, after) ? openCursor(client, filter, after, () => waiters.wakeAll()) : null;
  }

  function isUsable(cursor: Cursor): boolean {
    const { failed } = cursor;
    if (failed === undefined && cursor.owedFor() <= silenceMs) return true;
    const what = failed === undefined ? "went silent" : "ended";
    log.warn({ error: failed, position: cursor.position }, `a subscription to EventStoreDB ${what}; it is resumed`);
    cursor.close();
    return false;
  }

  function putBack(cursor: Cursor): void {
    cursor.usedAt = performance.now();
    if (closed) cursor.close();
    else if (isUsable(cursor)) cursors.add(cursor);
    for (const oldest of cursors) {
      if (cursors.size <= cursorsMax) break;
      drop(oldest);
    }
  }

  async function readOn(cursor: Cursor, limit: number): Promise<FeedPage> {
    const events = await arrived(cursor, limit);
    if (events.length === limit) return { events, position: cursor.position, atHead: false };
    const rest = await lookAt(cursor.position, limit - events.length, cursor.filter).catch((error: unknown) => {
      // What was taken from the subscription has to be handed out.
      if (events.length === 0) throw error;
      return { events: [], position: cursor.position, atHead: false };
    });
    cursor.skipTo(rest.position, rest.events.length > 0);
    return { events: [...events, ...rest.events], position: cursor.position, atHead: rest.atHead };
  }

  async function read(after: number, limit: number, filter: ServerFilter): Promise<FeedPage> {
    const cursor = takeCursor(filter, after);
    if (cursor === null) return lookAt(after, limit, filter);
    try {
      return await readOn(cursor, limit);
    } finally {
      putBack(cursor);
    }
  }

  return {
    head,
    async read(after, limit, filter) {
      checkPosition(after);
      checkLimit(limit);
      const wanted = serverFilter(filter);
      if (wanted === null) return { events: [], position: Math.max(after, await head()), atHead: true };
      const page = await read(after, limit, wanted);
      ends.add(wanted.key, page.position);
      if (page.position > after) waiters.reached(page.position);
      return page;
    },
    async behind(after, filter) {
      checkPosition(after);
      const wanted = serverFilter(filter);
      if (wanted === null) return { events: 0, oldestRecordedAt: null };
      const found = await lookAt(after, windowMax, wanted);
      const first = found.events[0]?.recordedAt ?? null;
      if (found.atHead) return { events: found.events.length, oldestRecordedAt: first };
      // Positions are bytes: what was looked at is a sample of the rest.
      const share = (await head()) - after;
      const events = Math.round((found.events.length * share) / Math.max(1, found.position - after));
      return { events, oldestRecordedAt: first };
    },
    waitForMore(after, timeoutMs, signal) {
      for (const cursor of cursors) if (cursor.position === after && cursor.hasArrived()) return Promise.resolve();
      return waiters.wait(after, timeoutMs, signal);
    },
    /** Something of this process's own was stored there. */
    reached: waiters.reached,
    close() {
      closed = true;
      clearInterval(sweeping);
      waiters.close();
      for (const cursor of cursors) drop(cursor);
    },
  } satisfies Feed & { reached(position: number): void; close(): void };
}

/** What the subscription has, up to a limit, as long as more keeps coming. */
async function arrived(cursor: Cursor, limit: number): Promise<StoredEvent[]> {
  const events = cursor.take(limit);
  for (let wait = events.length === 0 ? graceMs : moreMs; events.length < limit; wait = moreMs) {
    const before = events.length;
    await cursor.heard(wait);
    for (const event of cursor.take(limit - events.length)) events.push(event);
    if (events.length === before) break;
  }
  return events;
}

/** Positions handed out lately: who asks for what comes after one of them reads on. */
function createEnds(max: number) {
  const ends = new Set<string>();
  return {
    has: (key: string, position: number) => ends.has(`${key} ${position}`),
    add(key: string, position: number): void {
      const end = `${key} ${position}`;
      ends.delete(end);
      ends.add(end);
      for (const oldest of ends) {
        if (ends.size <= max) break;
        ends.delete(oldest);
      }
    },
  };
}
