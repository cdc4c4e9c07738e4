import { z } from "zod";
import { type StoredEvent, traceparentOf } from "../../domain/stored-event.ts";
import type { StreamMessage } from "../../ports/event-stream.ts";

/** A record as a client of Kafka takes it. */
export interface KafkaRecord {
  readonly partition: number;
  readonly key: string;
  readonly value: string;
  readonly headers: Record<string, string>;
}

/** As a client of Kafka hands it over. */
export interface ReceivedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>> | undefined;
}

/** Reference of the log that the events come from, as CloudEvents wants one. */
const source = "/proximal/log";
const typePrefix = "proximal.";
const markType = "proximal.PositionReached";

const specversion = "1.0";
const contentType = "application/json";

/**
 * A message as a CloudEvent 1.0 in Kafka's binary binding: attributes in `ce_` headers, data in the value. Beside them
 * `position` and `prev`, and `traceparent` of the request that caused the event. Written by hand: the library takes as
 * long as all the rest of what becomes of an event on its way.
 */
export function encodeMessage({ partition, position, prev, event }: StreamMessage): KafkaRecord {
  const place = { position: String(position), prev: String(prev) };
  if (event !== null) {
    const value = JSON.stringify(event.data ?? null);
    return { partition, key: keyOf(event), value, headers: eventHeaders(event, place) };
  }
  const headers = {
    ...place,
    ce_id: `${partition}-${position}`,
    ce_time: new Date().toISOString(),
    ce_type: markType,
    ce_source: source,
    ce_specversion: specversion,
    "content-type": contentType,
  };
  return { partition, key: "", value: JSON.stringify({ position }), headers };
}

type Place = Readonly<Record<"position" | "prev", string>>;

/** With each property by itself, so that those of all events are objects of one shape. */
function eventHeaders(event: StoredEvent, { position, prev }: Place): Record<string, string> {
  const headers: Record<string, string> = {
    position,
    prev,
    ce_id: event.eventId,
    ce_time: event.recordedAt,
    ce_type: typePrefix + event.type,
    ce_source: source,
    ce_specversion: specversion,
    ce_subject: event.stream,
    ce_revision: String(event.revision),
    ce_metadata: JSON.stringify(event.metadata ?? null),
    "content-type": contentType,
  };
  const traceparent = traceparentOf(event);
  if (traceparent !== undefined) headers.traceparent = traceparent;
  return headers;
}

/** The learner, whose events belong together; else the stream. */
const keyOf = ({ stream }: StoredEvent): string =>
  stream.startsWith("learner-") ? stream.slice("learner-".length) : stream;

const wholeNumber = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform(Number);
const placeSchema = z.object({ position: wholeNumber, prev: wholeNumber, ce_type: z.string().startsWith(typePrefix) });
const eventHeadersSchema = z.object({
  ce_id: z.string().min(1),
  ce_subject: z.string().min(1),
  ce_time: z.string().min(1),
  ce_revision: wholeNumber,
  ce_metadata: z.string(),
});

/** What a record says; throws where it is none of ours, or damaged. What the event itself says is judged when it is folded. */
export function decodeMessage(partition: number, record: ReceivedRecord): StreamMessage {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(record.headers ?? {})) {
    if (value !== undefined && !Array.isArray(value)) headers[name] = value.toString();
  }
  const { position, prev, ce_type: type } = placeSchema.parse(headers);
  if (type === markType) return { partition, position, prev, event: null };
  const { ce_id, ce_subject, ce_time, ce_revision, ce_metadata } = eventHeadersSchema.parse(headers);
  const event = {
    eventId: ce_id,
    type: type.slice(typePrefix.length),
    stream: ce_subject,
    revision: ce_revision,
    position,
    recordedAt: ce_time,
    data: JSON.parse(record.value?.toString() ?? "") as unknown,
    metadata: JSON.parse(ce_metadata) as unknown,
  };
  return { partition, position, prev, event };
}
