import { randomUUID } from "node:crypto";
import type { AppendRequest, EventStore, ExpectedRevision, NewEvent, StoredEvent } from "../../ports/event-store.ts";
import type { Feed } from "../../ports/feed.ts";

export type Log = EventStore & Feed;

/** What an engine may be unable to do. The suite says so where it asks for less; all true where left out. */
export interface LogAbilities {
  /** Positions are 1, 2, 3. Otherwise they grow, with gaps. */
  readonly densePositions: boolean;
  /** Requests of one append that are of different streams get their positions in request order. */
  readonly ordersStreams: boolean;
  /** An event id in use in another stream is found, and refused. */
  readonly idsAcrossStreams: boolean;
}

export const allAbilities: LogAbilities = { densePositions: true, ordersStreams: true, idsAcrossStreams: true };

/** A log under test, empty at first. */
export interface OpenedLog {
  readonly log: Log;
  /** Position before its first event, 0 when left out: for engines that have events of their own. */
  readonly start?: number;
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

/** The place of an event, as the feed has it. */
export function placeOf(events: readonly StoredEvent[], stream: string, revision: number) {
  const event = events.find((one) => one.stream === stream && one.revision === revision);
  return { revision, position: event?.position };
}
