import type { StoredEvent } from "../domain/stored-event.ts";
import { categoryOf, idOf } from "../domain/streams.ts";
import type { StreamMessage } from "../ports/event-stream.ts";
import type { Feed, FeedPage } from "../ports/feed.ts";
import { contextCategories, projected } from "../projections/context.ts";
import { partitionOf } from "../projections/partition.ts";

/** One partition of a stream as a feed that the one loop can read, made whole from the log where the stream is not. */
export interface PartitionInput {
  readonly feed: Feed;
  /** Resolves once the loop has handled and stored all of these; rejects when the signal aborts, and takes them back. */
  offer(messages: readonly StreamMessage[], signal: AbortSignal): Promise<void>;
  /** The partition stays: goes on after an abort. */
  resume(): void;
}

export interface PartitionInputOptions {
  /** The log. */
  readonly log: Feed;
  readonly partition: number;
  readonly partitions: number;
}

interface Waiter {
  readonly to: number;
  resolve(): void;
}

const contextStreams: ReadonlySet<string> = new Set(contextCategories);

/** Whose input an event is part of: a partition's, all partitions', or none's. */
export function ownerOf(event: StoredEvent, partitions: number): number | "all" | null {
  const category = categoryOf(event.stream);
  if (contextStreams.has(category)) return "all";
  return category === "learner" ? partitionOf(idOf(event.stream), partitions) : null;
}

/**
 * Positions alone decide what is handed out, and never the order of arrival: a message at or before the loop's position
 * is dropped, one whose `prev` is after it shows a gap, which is read from the log. So it does not matter whether rows
 * or offsets went back (a flush, a fail-over, a new group), whether the stream repeats or has lost something, or how
 * many relays write to it.
 */
export function createPartitionInput({ log, partition, partitions }: PartitionInputOptions): PartitionInput {
  /** Not handed out yet, or not known to be handled; positions grow. */
  let waiting: StreamMessage[] = [];
  /** The stream has told of everything up to here. */
  let known = 0;
  /** The loop has handled everything up to here. */
  let handled = 0;
  /** Up to here it was handed out last. */
  let handedOut = 0;
  /** Nothing is handed out: the partition may be about to go. */
  let held = false;
  let logIsLate = false;
  let waiters: Waiter[] = [];
  const wakes = new Set<() => void>();
  /** Those who wait for the end of what the loop has in hand. */
  const idle = new Set<() => void>();

  function take(messages: readonly StreamMessage[]): void {
    for (const message of messages) {
      if (message.position <= known) continue;
      waiting.push(message);
      known = message.position;
    }
    resume();
  }

  function resume(): void {
    held = false;
    for (const wake of wakes) wake();
  }

  /** Forgets what the loop has not got yet. It comes again, here or at the next owner. */
  function takeBack(): void {
    held = true;
    waiting = waiting.filter((message) => message.position <= handedOut);
    known = waiting.at(-1)?.position ?? Math.max(handled, handedOut);
  }

  /** The loop asks, or waits, for what comes after a position once everything up to it is stored. */
  function note(after: number): void {
    handled = after;
    handedOut = after;
    const next = waiting.findIndex((message) => message.position > after);
    waiting = next < 0 ? [] : waiting.slice(next);
    for (const waiter of waiters) if (waiter.to <= after) waiter.resolve();
    waiters = waiters.filter((waiter) => waiter.to > after);
    for (const one of idle) one();
  }

  async function untilHandled(to: number, signal: AbortSignal): Promise<void> {
    if (to <= handled) return;
    await new Promise<void>((resolve, reject) => {
      const waiter = { to, resolve };
      waiters.push(waiter);
      signal.addEventListener("abort", () => {
        waiters = waiters.filter((one) => one !== waiter);
        reject(signal.reason);
      });
    });
  }

  async function readLog(after: number, to: number, limit: number): Promise<FeedPage> {
    const page = await log.read(after, limit, projected);
    const position = Math.min(page.position, to);
    const events = page.events.filter((event) => {
      const owner = ownerOf(event, partitions);
      return event.position <= to && (owner === partition || owner === "all");
    });
    // A log that ends before what the stream tells of is a copy that lags behind: wait for it.
    logIsLate = page.atHead && page.position < to;
    return { events, position, atHead: logIsLate };
  }

  async function read(after: number, limit: number): Promise<FeedPage> {
    note(after);
    const first = waiting[0];
    const to = first === undefined ? known : first.prev;
    if (held || (first === undefined && after >= to)) return { events: [], position: after, atHead: true };
    const page = after < to ? await readLog(after, to, limit) : run(waiting, after, limit);
    // Taken back while the log was read: nothing was handed out yet.
    if (held) return { events: [], position: after, atHead: true };
    handedOut = page.position;
    return page;
  }

  return {
    feed: {
      read,
      async waitForMore(after, timeoutMs, signal) {
        note(after);
        if (held || after >= known) return pause(timeoutMs, signal, wakes);
        if (logIsLate) await pause(Math.min(timeoutMs, lateLogMs), signal, wakes);
      },
      head: () => log.head(),
      behind: (after, filter) => log.behind(after, filter),
    },
    async offer(messages, signal) {
      signal.throwIfAborted();
      take(messages);
      const to = messages.reduce((most, { position }) => Math.max(most, position), 0);
      try {
        await untilHandled(to, signal);
      } catch (error) {
        takeBack();
        // What the loop has in hand is finished before anybody else may start on it.
        if (handedOut > handled) await pause(inHandMsMax, neverAborted, idle);
        throw error;
      }
    },
    resume,
  };
}

/** How soon a log that was behind the stream is asked again. */
const lateLogMs = 50;
/** A batch in hand that takes longer is left to the guard of the rows. */
const inHandMsMax = 10_000;
const neverAborted = new AbortController().signal;

/** The messages that follow each other without a gap. */
function run(waiting: readonly StreamMessage[], after: number, limit: number): FeedPage {
  const events: StoredEvent[] = [];
  let position = after;
  let taken = 0;
  for (const message of waiting) {
    if (message.prev > position || events.length >= limit) break;
    if (message.event !== null) events.push(message.event);
    position = message.position;
    taken += 1;
  }
  return { events, position, atHead: taken === waiting.length };
}

function pause(ms: number, signal: AbortSignal, wakes: Set<() => void>): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      wakes.delete(end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    wakes.add(end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
