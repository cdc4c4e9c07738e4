import { compiledCheck } from "./compiled-check.ts";
import {
  type DomainEvent,
  type EventMetadata,
  type EventType,
  eventMetadataSchema,
  eventSchemas,
  interactionRecordedSchema,
} from "./events.ts";
import { type StoredEvent, UnreadableEvent } from "./stored-event.ts";
import { upcast } from "./upcast.ts";

/**
 * Checks and types one event read back from the log; old schema versions are brought up to the current one.
 * Throws {@link UnreadableEvent}, which names position, stream and field.
 */
export function decodeEvent(stored: StoredEvent): DomainEvent {
  const metadata = metadataOf(stored);
  // Most of a log. What holds as it stands is handed on as it stands; zod, which would copy it, has the words for the rest.
  if (stored.type === "InteractionRecorded" && metadata === stored.metadata && metadata.schemaVersion === 1) {
    const { data } = stored;
    // Data may be parsed anew each time it is asked for (FeedFilter.parseLate): then what was checked is kept beside the rest.
    if (isInteraction(data))
      return Object.hasOwn(stored, "data") ? (stored as DomainEvent) : eventOf(stored, data, metadata);
  }
  const schema = eventSchemas[stored.type as EventType];
  if (schema === undefined) throw new UnreadableEvent(stored, `unknown event type "${stored.type}"`);
  const raw = upcast(stored, metadata.schemaVersion);
  const data = schema.safeParse(raw);
  if (!data.success) throw new UnreadableEvent(stored, firstIssue(data.error));
  return eventOf(stored, data.data, metadata);
}

/** By name, each: a spread leaves out what an engine makes of an event when it is asked for (FeedFilter.parseLate). */
function eventOf(stored: StoredEvent, data: unknown, metadata: EventMetadata): DomainEvent {
  const { position, revision, recordedAt, eventId, stream, type } = stored;
  return { position, revision, recordedAt, eventId, stream, type, data, metadata } as DomainEvent;
}

const isInteraction = compiledCheck(interactionRecordedSchema);
const isMetadata = compiledCheck(eventMetadataSchema);

/** Events that follow each other in a log share the object where they have the same: it is checked once. */
let lastRaw: unknown;
let lastChecked: EventMetadata | undefined;
function metadataOf(stored: StoredEvent): EventMetadata {
  if (lastChecked !== undefined && stored.metadata === lastRaw) return lastChecked;
  if (isMetadata(stored.metadata)) {
    lastRaw = stored.metadata;
    lastChecked = stored.metadata;
    return stored.metadata;
  }
  const metadata = eventMetadataSchema.safeParse(stored.metadata);
  if (!metadata.success) throw new UnreadableEvent(stored, `metadata: ${firstIssue(metadata.error)}`);
  lastRaw = stored.metadata;
  lastChecked = metadata.data;
  return lastChecked;
}

function firstIssue(error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): string {
  const issue = error.issues[0];
  if (issue === undefined) return "invalid";
  return issue.path.length > 0 ? `${issue.path.map(String).join(".")}: ${issue.message}` : issue.message;
}
