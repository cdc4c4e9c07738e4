import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeEvent } from "./decode-event.ts";
import { eventMetadataSchema, interactionRecordedSchema } from "./events.ts";
import { type StoredEvent, UnreadableEvent } from "./stored-event.ts";

const data = {
  ...{ interactionId: "i-1", learnerId: "l-1", itemId: "item-1", kind: "answer", skillIds: ["s-1"], correct: true },
  ...{ durationMs: 4_000, occurredAt: "2026-03-01T08:00:00.000Z", source: "api" },
};
const stored = (data: unknown, metadata: unknown = { schemaVersion: 1 }): StoredEvent => ({
  ...{ type: "InteractionRecorded", data, metadata, eventId: "e-1", stream: "learner-l-1", revision: 1, position: 1 },
  recordedAt: data === null ? "" : "2026-03-01T08:00:01.000Z",
});

const values = fc.oneof(
  fc.constantFrom(null, "", "id", "a b", "x".repeat(200), "x".repeat(201), "\u{1F600}".repeat(150), "\ud800"),
  fc.constantFrom<unknown>(0, -1, 0.5, 1.5, 6, -0, 11, 2 ** 60, true, [], ["s"], ["s", 1], {}, "review", "hint"),
  fc.constantFrom("2026-03-01T08:00:00Z", "2026-03-01T08:00:00+02:00", "2026-02-30T08:00:00Z", "2026-03-01"),
  fc.constantFrom({ experimentId: "e", arm: "a" }, { experimentId: "e", arm: "a", more: 1 }, { experimentId: "e" }),
);
const fields = [...Object.keys(interactionRecordedSchema.shape), "unknown", "__proto__"];
const change = fc.record({ field: fc.constantFrom(...fields), value: fc.option(values, { nil: undefined }) });

/** As JSON, which is how a log has it. */
const changed = (whole: object, changes: readonly { field: string; value: unknown }[]): unknown =>
  JSON.parse(JSON.stringify(Object.assign({}, whole, ...changes.map(({ field, value }) => ({ [field]: value })))));

it("takes what the schema takes, and gives what the schema gives, whatever stands in the log", () => {
  let taken = 0;
  const judged = fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
    const event = stored(changed(data, changes));
    const expected = interactionRecordedSchema.safeParse(event.data);
    if (expected.success) {
      taken += 1;
      expect(decodeEvent(event)).toEqual({ ...event, data: expected.data });
    } else expect(() => decodeEvent(event)).toThrow(UnreadableEvent);
  });
  fc.assert(judged, { numRuns: 3_000 });
  expect(taken).toBeGreaterThan(300);
});

it("does the same for the metadata", () => {
  const field = fc.constantFrom("schemaVersion", "traceparent", "apiKeyId", "unknown");
  const judged = fc.property(fc.array(fc.record({ field, value: values }), { maxLength: 2 }), (changes) => {
    const event = stored(data, changed({ schemaVersion: 1 }, changes));
    const expected = eventMetadataSchema.safeParse(event.metadata);
    if (expected.success && expected.data.schemaVersion === 1) {
      expect(decodeEvent(event)).toEqual({ ...event, metadata: expected.data });
    } else expect(() => decodeEvent(event)).toThrow(UnreadableEvent);
  });
  fc.assert(judged, { numRuns: 1_000 });
});

it("hands on what holds as it stands, and leaves out what the schema does not know", () => {
  const event = stored(data);
  expect(decodeEvent(event)).toBe(event);
  expect(decodeEvent(stored({ ...data, ofALaterVersion: 1 })).data).toEqual(data);
});
