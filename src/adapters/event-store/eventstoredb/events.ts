import { type JSONEventData, type JSONRecordedEvent, jsonEvent } from "@eventstore/db-client";
import { categoryOf } from "../../../domain/streams.ts";
import type { NewEvent, StoredEvent } from "../../../ports/event-store.ts";
import type { FeedFilter } from "../../../ports/feed.ts";

/** The time the command set travels in the metadata: the server's own is that of the server. */
const timeKey = "recordedAt";

export function toServer({ eventId, type, data, metadata, recordedAt }: NewEvent): JSONEventData {
  const time = new Date(recordedAt).toISOString();
  return jsonEvent({
    id: eventId,
    type,
    data: data as Record<string, unknown>,
    metadata: { ...metadata, [timeKey]: time },
  });
}

/** What an event read from a stream or from $all has. */
export type ServerEvent = Pick<
  JSONRecordedEvent,
  "id" | "streamId" | "revision" | "type" | "data" | "metadata" | "created" | "position"
>;

export function fromServer({
  id,
  streamId,
  revision,
  type,
  data,
  metadata,
  created,
  position,
}: ServerEvent): StoredEvent {
  const isOurs = typeof metadata === "object" && metadata !== null && timeKey in metadata;
  const { [timeKey]: time, ...rest } = isOurs ? (metadata as Record<string, unknown>) : {};
  return {
    eventId: id,
    stream: streamId,
    revision: Number(revision) + 1,
    position: toPosition(position?.commit),
    recordedAt: typeof time === "string" ? time : created.toISOString(),
    type,
    data,
    // Of an event that some other system wrote: whoever decodes it sees that it is none of ours.
    metadata: isOurs ? rest : (metadata ?? null),
  };
}

/** Positions are offsets in the server's log: numbers, until that has 9 petabytes. */
export function toPosition(commit: bigint | undefined): number {
  if (commit === undefined || commit > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new Error(`position ${commit} of EventStoreDB is not usable; servers before 22.10 give none for streams`);
  }
  return Number(commit);
}

/** Names that begin with $ are the server's own streams, and no part of the log. */
export const isSystemStream = (stream: string): boolean => stream.startsWith("$");

/** The filter as the server takes it (it knows one criterion only), and as the reader has to apply it besides. */
export interface ServerFilter {
  /** The same for two filters that mean the same. */
  readonly key: string;
  readonly on: "stream" | "type";
  readonly regex: string;
  matches(event: ServerEvent): boolean;
}

/** null where nothing can match. */
export function serverFilter({ categories, types }: FeedFilter = {}): ServerFilter | null {
  if (categories?.length === 0 || types?.length === 0) return null;
  const wantedTypes = types && new Set(types);
  const wanted = categories && new Set(categories);
  return {
    key: JSON.stringify([categories && [...categories].sort(), types && [...types].sort()]),
    on: categories === undefined && types !== undefined ? "type" : "stream",
    regex: regexOf(categories, types),
    matches: ({ streamId, type }) =>
      !isSystemStream(streamId) && (wanted?.has(categoryOf(streamId)) ?? true) && (wantedTypes?.has(type) ?? true),
  };
}

/** Expressions that mean the same in .NET and in JavaScript. */
function regexOf(categories: readonly string[] | undefined, types: readonly string[] | undefined): string {
  if (categories !== undefined) return `^(?:${categories.map(literal).join("|")})(?:-|$)`;
  if (types !== undefined) return `^(?:${types.map(literal).join("|")})$`;
  return "^[^$]";
}

function literal(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
