import { randomUUID } from "node:crypto";
import type { AppendRequest, EventStore, ExpectedRevision, NewEvent } from "../../ports/event-store.ts";
import type { Feed } from "../../ports/feed.ts";

export type Log = EventStore & Feed;

/** A log under test, empty at first. */
export interface OpenedLog {
  readonly log: Log;
  /** The same log opened once more, as another process would; where the engine can. */
  readonly openAnother?: () => Promise<Log & { close(): Promise<void> }>;
  close(): Promise<void>;
}

export const recordedAt = "2026-03-01T09:30:00.250Z";

export function newEvent(fields: Partial<NewEvent> = {}): NewEvent {
  return {
    eventId: randomUUID(),
    type: "InteractionRecorded",
    data: { itemId: "item-1", correct: true },
    metadata: { schemaVersion: 1 },
    recordedAt,
    ...fields,
  };
}

export function newEvents(count: number, fields: Partial<NewEvent> = {}): NewEvent[] {
  return Array.from({ length: count }, (_, n) => newEvent({ data: { n }, ...fields }));
}

export function request(
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedRevision = "any",
): AppendRequest {
  return { stream, expected, events };
}

/** The whole feed after a position, in pages. */
export async function readAll(log: Feed, after = 0, pageSize = 100, filter?: Parameters<Feed["read"]>[2]) {
  const events = [];
  let position = after;
  for (;;) {
    const page = await log.read(position, pageSize, filter);
    if (page.position < position) throw new Error(`the feed went back from ${position} to ${page.position}`);
    events.push(...page.events);
    if (page.atHead) return { events, position: page.position };
    if (page.position === position) throw new Error(`the feed stands still at ${position}, but is not at its head`);
    position = page.position;
  }
}
