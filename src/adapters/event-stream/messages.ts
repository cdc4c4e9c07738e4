import { CloudEvent, Kafka } from "cloudevents";
import { z } from "zod";
import { traceparentOf } from "../../domain/stored-event.ts";
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

/**
 * A message as a CloudEvent 1.0 in Kafka's binary binding: attributes in `ce_` headers, data in the value. Beside them
 * `position` and `prev`, and `traceparent` of the request that caused the event.
 */
export function encodeMessage(message: StreamMessage): KafkaRecord {
  const { partition, position, prev, event } = message;
  const cloudEvent =
    event === null
      ? new CloudEvent({ id: `${partition}-${position}`, source, type: markType, data: { position } }, false)
      : new CloudEvent(
          {
            id: event.eventId,
            source,
            type: typePrefix + event.type,
            subject: event.stream,
            time: event.recordedAt,
            data: event.data,
            revision: event.revision,
            metadata: JSON.stringify(event.metadata ?? null),
          },
          false,
        );
  const headers: Record<string, string> = { position: String(position), prev: String(prev) };
  for (const [name, value] of Object.entries(Kafka.binary(cloudEvent).headers)) {
    if (value !== undefined) headers[name] = String(value);
  }
  headers["content-type"] = "application/json";
  const traceparent = event === null ? undefined : traceparentOf(event);
  if (traceparent !== undefined) headers.traceparent = traceparent;
  return { partition, key: keyOf(message), value: JSON.stringify(cloudEvent.data ?? null), headers };
}

/** The learner, whose events belong together; else the stream. */
function keyOf({ event }: StreamMessage): string {
  if (event === null) return "";
  return event.stream.startsWith("learner-") ? event.stream.slice("learner-".length) : event.stream;
}

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
