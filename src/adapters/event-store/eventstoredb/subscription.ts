import { type EventStoreDBClient, eventTypeFilter, START, streamNameFilter } from "@eventstore/db-client";
import type { StoredEvent } from "../../../ports/event-store.ts";
import { fromServer, type ServerEvent, type ServerFilter, toPosition } from "./events.ts";

/** Events of a subscription in memory, at most about twice this; when it is full the connection is not read any more. */
const bufferMax = 512;
/** After so many events looked at the server says how far it is, also where none of them matches. */
const checkpointEvents = 32;

/** A place in the log that a catch-up subscription moves along from. */
export interface Cursor {
  readonly filter: ServerFilter;
  /** Everything that matches up to here has been taken. */
  readonly position: number;
  /** Set once the subscription has ended, by itself or not: what is in memory can be taken still. */
  readonly failed: unknown;
  /** Milliseconds of performance.now(): when a reader last used it. */
  usedAt: number;
  /** The next events that have arrived already. Moves the position. */
  take(limit: number): StoredEvent[];
  /** Resolves when something arrives or the subscription ends, at the latest after so long. */
  heard(ms: number): Promise<void>;
  hasArrived(): boolean;
  /** How long the subscription has owed what a reader had to find by itself, milliseconds; 0 where it owes nothing. */
  owedFor(): number;
  /** The reader has looked at everything up to `position` itself; `found`: something stood there. */
  skipTo(position: number, found: boolean): void;
  close(): void;
}

/** `onNews` is called whenever something arrives. Never throws: a subscription that cannot be had is a failed one. */
export function openCursor(
  client: EventStoreDBClient,
  filter: ServerFilter,
  after: number,
  onNews: () => void,
): Cursor {
  let position = after;
  let checkpoint = after;
  let failed: unknown;
  let owedSince: number | null = null;
  let closed = false;
  let listeners: (() => void)[] = [];

  const news = (): void => {
    for (const listener of listeners.splice(0)) listener();
    if (!closed) onNews();
  };
  const heardFrom = (): void => {
    owedSince = null;
    news();
  };
  const criterion = filter.on === "type" ? eventTypeFilter : streamNameFilter;
  const subscription = client.subscribeToAll(
    {
      fromPosition: after === 0 ? START : { commit: BigInt(after), prepare: BigInt(after) },
      filter: criterion({
        regex: filter.regex,
        maxSearchWindow: checkpointEvents,
        checkpointInterval: 1,
        async checkpointReached(_, reached) {
          checkpoint = Math.max(checkpoint, toPosition(reached.commit));
          heardFrom();
        },
      }),
    },
    // Nothing flows by itself: what nobody takes fills this, then the connection's window, and then the server waits.
    { highWaterMark: bufferMax },
  );
  const end = (error: unknown): void => {
    failed ??= error;
    news();
  };
  subscription.on("readable", heardFrom);
  subscription.on("error", end);
  subscription.on("end", () => end(new Error("the subscription ended")));
  subscription.on("close", () => end(new Error("the subscription was closed")));

  return {
    filter,
    usedAt: performance.now(),
    get position() {
      return position;
    },
    get failed() {
      return failed;
    },
    take(limit) {
      const events: StoredEvent[] = [];
      while (events.length < limit) {
        const resolved = subscription.read() as { event?: ServerEvent } | null;
        if (resolved === null) {
          // Events and checkpoints come in one order, and all events that came are taken now.
          position = Math.max(position, checkpoint);
          break;
        }
        if (resolved.event === undefined) continue;
        const at = toPosition(resolved.event.position?.commit);
        if (at <= position) continue;
        position = at;
        if (filter.matches(resolved.event)) events.push(fromServer(resolved.event));
      }
      return events;
    },
    heard(ms) {
      if (failed !== undefined || subscription.readableLength > 0) return Promise.resolve();
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(() => {
          listeners = listeners.filter((listener) => listener !== done);
          resolve();
        }, ms);
        listeners.push(done);
      });
    },
    hasArrived: () => subscription.readableLength > 0,
    owedFor: () => (owedSince === null ? 0 : performance.now() - owedSince),
    skipTo(reached, found) {
      position = Math.max(position, reached);
      if (found) owedSince ??= performance.now();
    },
    close() {
      if (closed) return;
      closed = true;
      failed ??= new Error("closed");
      // It waits for a connection that may never come.
      subscription.unsubscribe().catch(() => {});
      subscription.destroy();
      news();
    },
  };
}
