import type { EventMetadata } from "../domain/events.ts";
import type { StoredEvent } from "../domain/stored-event.ts";

export type { StoredEvent };

export interface NewEvent {
  /** UUID. The idempotency key: an event id is stored once, however often it is appended. */
  readonly eventId: string;
  readonly type: string;
  readonly data: object;
  readonly metadata: EventMetadata;
  /** ISO 8601. */
  readonly recordedAt: string;
}

/** Revision the stream must have before the append: its last event's (1-based), "none" for no stream, "any" to not ask. */
export type ExpectedRevision = number | "none" | "any";

export interface AppendRequest {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  /** At least one. All are stored, or none. */
  readonly events: readonly NewEvent[];
}

export type AppendResult =
  /** Durable. Revision and position of the last event of the request. */
  | { readonly status: "appended"; readonly revision: number; readonly position: number }
  /** All of these event ids are in this stream already; nothing was stored. `existing` in request order. */
  | {
      readonly status: "duplicate";
      readonly revision: number;
      readonly position: number;
      readonly existing: readonly StoredEvent[];
    }
  /**
   * The stream was at another revision (`actual`, 0 = no stream), or some event id is in use elsewhere, where the engine can
   * tell; nothing was stored.
   */
  | { readonly status: "conflict"; readonly actual: number; readonly why: string };

export interface ReadStreamOptions {
  /** First revision to read, inclusive. Forwards from 1, backwards from the end when left out. */
  readonly from?: number;
  readonly direction?: "forwards" | "backwards";
  readonly limit: number;
}

/**
 * The log, for writers and for readers of one stream.
 * An idempotency check comes before the revision check: a repeated append is a duplicate, never a conflict.
 * Left out on purpose: deleting, truncating, stream metadata.
 */
export interface EventStore {
  /**
   * One durable group commit for many requests: when it resolves, everything appended is fsynced. Requests are
   * independent (one conflict refuses that request only), those of one stream are applied in order, and results are in
   * request order. Rejects with {@link LogUnavailable} when nothing of the batch is known to be stored.
   */
  append(requests: readonly AppendRequest[]): Promise<AppendResult[]>;
  /** The events of one stream, [] where there is no such stream. */
  readStream(stream: string, options: ReadStreamOptions): Promise<StoredEvent[]>;
}

/** The engine did not answer, or answered that it cannot now. Whether the append was stored is not known: retry it. */
export class LogUnavailable extends Error {
  override readonly name: string = "LogUnavailable";
}

/** The engine failed just now, so it was not asked: nothing was stored. */
export class LogNotAsked extends LogUnavailable {
  override readonly name = "LogNotAsked";
}
