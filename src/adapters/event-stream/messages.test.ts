import { CloudEvent, Kafka } from "cloudevents";
import { describe, expect, test } from "vitest";
import type { StoredEvent } from "../../domain/stored-event.ts";
import { decodeMessage, encodeMessage, type KafkaRecord } from "./messages.ts";

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const place = { partition: 2, position: 12, prev: 7 };
const answered: StoredEvent = {
  ...{ eventId: "3f6f5b1e-6f1a-4c59-8e54-0f8b7b6b8b11", stream: "learner-änna", revision: 4, position: 12 },
  ...{ recordedAt: "2026-03-01T08:00:00.000Z", type: "InteractionRecorded" },
  ...{ data: { learnerId: "änna" }, metadata: { schemaVersion: 1, traceparent } },
};
const events: readonly StoredEvent[] = [
  answered,
  { ...answered, stream: "item-a", type: "ItemPublished", metadata: { schemaVersion: 1 } },
  { ...answered, stream: "model", data: null, metadata: null },
];

const received = ({ key, value, headers }: KafkaRecord) => ({
  key: Buffer.from(key),
  value: Buffer.from(value),
  headers,
});

describe("a message on the topic", () => {
  test.each(events)("has the headers that the CloudEvents library gives it: $stream", (event) => {
    const { eventId: id, type, stream: subject, recordedAt: time, data } = event;
    const extensions = { revision: event.revision, metadata: JSON.stringify(event.metadata) };
    const attributes = { id, source: "/proximal/log", type: `proximal.${type}`, subject, time, data, ...extensions };
    const theirs = Kafka.binary(new CloudEvent({ ...attributes, datacontenttype: "application/json" }));
    const { headers } = encodeMessage({ ...place, event });
    const { position, prev, traceparent: _, ...ours } = headers;
    const { ce_datacontenttype: __, ...named } = theirs.headers as Record<string, unknown>;
    const stated = Object.entries(named).filter(([, value]) => value !== undefined);
    expect({ position, prev }).toEqual({ position: "12", prev: "7" });
    expect(ours).toEqual(Object.fromEntries(stated.map(([name, value]) => [name, String(value)])));
  });

  test("is read as what was written, a mark too", () => {
    for (const event of [...events, null]) {
      const record = encodeMessage({ ...place, event });
      expect(decodeMessage(place.partition, received(record))).toEqual({ ...place, event });
    }
  });

  test("has the learner as its key, else the stream, and a mark none", () => {
    expect(events.map((event) => encodeMessage({ ...place, event }).key)).toEqual(["änna", "item-a", "model"]);
    expect(encodeMessage({ ...place, event: null }).key).toBe("");
  });
});
