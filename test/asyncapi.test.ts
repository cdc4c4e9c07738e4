import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Parser } from "@asyncapi/parser";
import { beforeAll, describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import { z } from "zod";
import { retentionMsDefault } from "../src/adapters/event-stream/kafka.ts";
import { encodeMessage } from "../src/adapters/event-stream/messages.ts";
import { eventSchemas } from "../src/domain/events.ts";
import type { StreamMessage } from "../src/ports/event-stream.ts";

/**
 * docs/asyncapi.yaml says what is on the topic: it must be valid, and say what the code does. The payloads in it are made from
 * src/domain/events.ts: `npx vitest run --project unit test/asyncapi.test.ts -u` writes them anew, and leaves the rest as it is.
 */
const file = join(import.meta.dirname, "../docs/asyncapi.yaml");
const text = readFileSync(file, "utf8");
const objectSchema = z.object({
  type: z.literal("object"),
  properties: z.record(z.string(), z.looseObject({ const: z.string().optional(), pattern: z.string().optional() })),
  required: z.array(z.string()),
});
const documentSchema = z.object({
  asyncapi: z.string().startsWith("3."),
  channels: z.object({
    events: z.object({
      messages: z.record(z.string(), z.unknown()),
      bindings: z.object({
        kafka: z.object({
          topicConfiguration: z.object({ "cleanup.policy": z.array(z.string()), "retention.ms": z.number() }),
        }),
      }),
    }),
  }),
  components: z.object({
    messages: z.record(z.string(), z.object({ name: z.string(), payload: z.record(z.string(), z.unknown()) })),
    schemas: z.object({ eventHeaders: objectSchema, markHeaders: objectSchema }),
  }),
});

describe("docs/asyncapi.yaml", () => {
  let document: z.infer<typeof documentSchema>;
  beforeAll(async () => {
    const parsed = await new Parser().parse(text);
    const errors = parsed.diagnostics.filter(({ severity }) => severity === 0);
    expect(errors.map(({ path, message }) => `${path.join(".")}: ${message}`)).toEqual([]);
    // The parser puts what is referred to in place, and notes of its own beside it.
    document = documentSchema.parse(withoutNotes(parsed.document?.json()));
  });

  // Lists that were served concern no partition: they stay in the log.
  const { ItemsServed: _, ...relayed } = eventSchemas;

  test("has the events that are relayed, and the mark", () => {
    const { messages } = document.components;
    expect(Object.keys(messages).sort()).toEqual([...Object.keys(relayed), "PositionReached"].sort());
    expect(Object.keys(document.channels.events.messages).sort()).toEqual(Object.keys(messages).sort());
    for (const type of Object.keys(relayed)) expect(messages[type], type).toMatchObject({ name: `proximal.${type}` });
  });

  test("has each event as its schema says", async () => {
    const written = parseDocument(text);
    for (const [type, schema] of Object.entries(relayed)) {
      const { $schema: __, ...payload } = z.toJSONSchema(schema, { target: "draft-7", io: "input" });
      written.setIn(["components", "messages", type, "payload"], payload);
    }
    const style = { lineWidth: 120, singleQuote: false, aliasDuplicateObjects: false };
    await expect(written.toString(style)).toMatchFileSnapshot(file);
  });

  test("has the headers that are sent", () => {
    const metadata = { schemaVersion: 1, traceparent: "00-1-2-01" };
    const event = {
      ...{ eventId: "e", stream: "learner-a", revision: 1, position: 3, recordedAt: "2026-03-01T08:00:00.000Z" },
      ...{ type: "InteractionRecorded", data: {}, metadata },
    };
    const { eventHeaders, markHeaders } = document.components.schemas;
    const message: StreamMessage = { partition: 0, position: 3, prev: 2, event };
    expectHeaders(encodeMessage(message).headers, eventHeaders);
    expectHeaders(encodeMessage({ ...message, event: null }).headers, markHeaders);
    const { traceparent: __, ...others } = eventHeaders.properties;
    expectHeaders(encodeMessage({ ...message, event: { ...event, metadata: null } }).headers, {
      ...eventHeaders,
      properties: others,
    });
  });

  test("has the topic as it is made", () => {
    const { topicConfiguration } = document.channels.events.bindings.kafka;
    expect(topicConfiguration).toEqual({ "cleanup.policy": ["delete"], "retention.ms": retentionMsDefault });
  });
});

function expectHeaders(headers: Readonly<Record<string, string>>, schema: z.infer<typeof objectSchema>): void {
  expect(Object.keys(headers).sort()).toEqual(Object.keys(schema.properties).sort());
  for (const name of schema.required) expect(headers).toHaveProperty([name]);
  for (const [name, value] of Object.entries(headers)) {
    const { const: only, pattern } = schema.properties[name] ?? {};
    if (only !== undefined) expect(value).toBe(only);
    if (pattern !== undefined) expect(value).toMatch(new RegExp(pattern));
  }
}

function withoutNotes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNotes);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !name.startsWith("x-parser-"));
  return Object.fromEntries(kept.map(([name, one]) => [name, withoutNotes(one)]));
}
