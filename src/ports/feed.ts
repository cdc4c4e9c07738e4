import type { StoredEvent } from "../domain/stored-event.ts";

export interface FeedFilter {
  /** Categories of stream ("learner", "item", ...), see domain/streams.ts. All when left out. */
  readonly categories?: readonly string[];
  /** Event types. All when left out. */
  readonly types?: readonly string[];
  /**
   * An engine may make the data of an event, and its `recordedAt`, when they are asked for, and each time anew, by accessors that
   * `{ ...event }` leaves out. For who reads large pages and each event once: what is made need not outlive its use.
   */
  readonly parseLate?: boolean;
}

export interface FeedPage {
  /** In order of position. */
  readonly events: readonly StoredEvent[];
  /** Everything up to here that matches has been handed out: where to resume, also when `events` is empty. */
  readonly position: number;
  /** Nothing more stood in the log when this was read. */
  readonly atHead: boolean;
}

export interface Backlog {
  /** Events after the position that match. */
  readonly events: number;
  /** When the oldest of them was recorded; null where there is none. ISO 8601. */
  readonly oldestRecordedAt: string | null;
}

/**
 * All events in one order. Position 0 stands before the first event; positions grow, and an event that becomes visible
 * later never has a lower position than one already handed out (a late commit is never skipped). Positions may have gaps:
 * they are no counts, and only what was handed out is a place to read on from.
 */
export interface Feed {
  read(after: number, limit: number, filter?: FeedFilter): Promise<FeedPage>;
  /** Resolves when something may stand after `after`, at the latest after `timeoutMs`, or when the signal aborts. Never rejects. */
  waitForMore(after: number, timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** Position of the last event, 0 where there is none. */
  head(): Promise<number>;
  behind(after: number, filter?: FeedFilter): Promise<Backlog>;
}
