import { categoryOf } from "../../domain/streams.ts";
import type { AppendRequest, AppendResult, EventStore, StoredEvent } from "../../ports/event-store.ts";
import type { Feed, FeedFilter } from "../../ports/feed.ts";
import { type PlannedRow, planAppend } from "./append-plan.ts";
import { checkLimit, checkPosition, checkRequests, checkStream } from "./checks.ts";
import { createWaiters } from "./waiters.ts";

/** Data and metadata are kept as text, as the real engines keep them: nobody can change an event after the fact. */
interface Entry extends Omit<StoredEvent, "data" | "metadata"> {
  readonly category: string;
  readonly data: string;
  readonly metadata: string;
}

/** The log of tests and of nothing else: it forgets everything when the process ends. */
export function createMemoryLog(): EventStore & Feed {
  const entries: Entry[] = [];
  const streams = new Map<string, Entry[]>();
  const byId = new Map<string, Entry>();
  const waiters = createWaiters();

  const view = {
    streamOf: (eventId: string) => byId.get(eventId)?.stream,
    revisionOf: (stream: string) => streams.get(stream)?.length ?? 0,
  };

  function store(row: PlannedRow): void {
    const entry = toEntry(row, entries.length + 1);
    entries.push(entry);
    byId.set(entry.eventId, entry);
    const stream = streams.get(entry.stream);
    if (stream === undefined) streams.set(entry.stream, [entry]);
    else stream.push(entry);
  }

  function appendAll(requests: readonly AppendRequest[]): AppendResult[] {
    checkRequests(requests);
    const { decisions, rows } = planAppend(requests, view);
    const before = entries.length;
    for (const row of rows) store(row);
    waiters.reached(entries.length);
    return decisions.map((decision, i): AppendResult => {
      if (decision.status === "conflict") return decision;
      if (decision.status === "appended") {
        return { status: "appended", revision: decision.revision, position: before + decision.lastRow + 1 };
      }
      const existing = (requests[i]?.events ?? []).flatMap((event) => byId.get(event.eventId) ?? []).map(toStored);
      const last = existing[existing.length - 1];
      return { status: "duplicate", revision: last?.revision ?? 0, position: last?.position ?? 0, existing };
    });
  }

  return {
    // The promise settles after the caller's turn, as with an engine.
    append: async (requests) => appendAll(requests),
    async readStream(stream, { from, direction = "forwards", limit }) {
      checkStream(stream);
      checkLimit(limit);
      const all = streams.get(stream) ?? [];
      if (direction === "forwards") {
        const start = Math.max(0, (from ?? 1) - 1);
        return all.slice(start, start + limit).map(toStored);
      }
      const end = Math.max(0, Math.min(all.length, from ?? all.length));
      return all
        .slice(Math.max(0, end - limit), end)
        .reverse()
        .map(toStored);
    },
    async read(after, limit, filter) {
      checkPosition(after);
      checkLimit(limit);
      const matches = matcher(filter);
      const events: StoredEvent[] = [];
      let position = after;
      for (; position < entries.length && events.length < limit; position++) {
        const entry = entries[position];
        if (entry !== undefined && matches(entry)) events.push(toStored(entry));
      }
      return { events, position, atHead: position >= entries.length };
    },
    waitForMore: (after, timeoutMs, signal) => waiters.wait(after, timeoutMs, signal),
    head: async () => entries.length,
    async behind(after, filter) {
      checkPosition(after);
      const matching = entries.slice(after).filter(matcher(filter));
      return { events: matching.length, oldestRecordedAt: matching[0]?.recordedAt ?? null };
    },
  };
}

function matcher(filter: FeedFilter | undefined): (entry: Entry) => boolean {
  const categories = filter?.categories && new Set(filter.categories);
  const types = filter?.types && new Set(filter.types);
  return (entry) => (categories?.has(entry.category) ?? true) && (types?.has(entry.type) ?? true);
}

function toEntry({ stream, revision, event }: PlannedRow, position: number): Entry {
  return {
    eventId: event.eventId,
    stream,
    category: categoryOf(stream),
    revision,
    position,
    recordedAt: new Date(event.recordedAt).toISOString(),
    type: event.type,
    data: JSON.stringify(event.data),
    metadata: JSON.stringify(event.metadata),
  };
}

function toStored({ category: _, data, metadata, ...rest }: Entry): StoredEvent {
  return { ...rest, data: JSON.parse(data), metadata: JSON.parse(metadata) };
}
