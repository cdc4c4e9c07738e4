import { describe, expect, test } from "vitest";
import { z } from "zod";
import { eventSchemas, interactionRecordedSchema } from "../../domain/events.ts";
import { eventRow } from "./event-rows.ts";
import { createPseudonyms, fieldRule, plainIds } from "./pseudonyms.ts";
import { eventsTable, tableNames, tables } from "./tables.ts";

const key = "a key of sixteen or more";

/** The names of all fields of a schema, however deep. */
function fieldsOf(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(fieldsOf);
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([name, value]) =>
    name === "properties" ? Object.keys(value).concat(fieldsOf(Object.values(value))) : fieldsOf(value),
  );
}

describe("pseudonyms", () => {
  test("are the same under one key, and others under another, for another sort of id, for another id", () => {
    const [one, same, other] = [createPseudonyms(key), createPseudonyms(key), createPseudonyms(`${key}!`)];
    const ada = one.of("learner", "ada");
    expect(ada).toMatch(/^L[0-9a-f]{24}$/);
    expect(same.of("learner", "ada")).toBe(ada);
    expect(one.of("learner", "ada")).toBe(ada);
    const others = [
      one.of("learner", "adb"),
      other.of("learner", "ada"),
      one.of("session", "ada"),
      one.of("other", "ada"),
    ];
    expect(new Set([ada, ...others].map((id) => id.slice(1))).size).toBe(5);
  });

  test("replace ids in JSON however deep, leave an author's as they are, and drop free text of clients", () => {
    const { inJson, of } = createPseudonyms(key);
    const data = {
      ...{
        learnerId: "ada",
        itemIds: ["a"],
        source: "ada's tablet",
        list: [{ sessionId: "ada-1", skillId: "s" }, 1, null],
      },
      ...{ guardianId: "eve", friendIds: ["bob"], metadata: { apiKeyId: "k", traceparent: "t", title: "T" } },
    };
    expect(inJson(data)).toEqual({
      ...{ learnerId: of("learner", "ada"), itemIds: ["a"] },
      list: [{ sessionId: of("session", "ada-1"), skillId: "s" }, 1, null],
      ...{ guardianId: of("other", "eve"), friendIds: [of("other", "bob")], metadata: { title: "T" } },
    });
    expect(JSON.stringify(inJson(data))).not.toMatch(/tablet|ada-1|"(ada|eve|bob)"/);
    expect(plainIds.inJson(data)).toEqual(data);
  });

  test("each id of each event is known for an author's or replaced; each column of a learner's id says so", () => {
    const fields = new Set(Object.values(eventSchemas).flatMap((schema) => fieldsOf(z.toJSONSchema(schema))));
    const rules = Object.fromEntries(
      [...fields].filter((name) => /Ids?$/.test(name)).map((name) => [name, fieldRule(name)]),
    );
    expect(rules).toMatchObject({
      ...{ learnerId: "learner", sessionId: "session", selectionId: "selection", interactionId: "interaction" },
      ...{ itemId: "keep", skillIds: "keep", trackId: "keep", experimentId: "keep" },
    });
    const unknown = Object.keys(rules).filter((name) => rules[name] === "other");
    expect(unknown, "say in pseudonyms.ts whether they are ids of authors' things or of learners'").toEqual([]);
    for (const name of tableNames) {
      for (const { name: column, description } of tables[name].columns) {
        const rule = fieldRule(column);
        if (rule !== "keep" && rule !== "drop" && rule !== "other")
          expect(description, `${name}.${column}`).toContain("pseudonym");
      }
    }
  });

  test("where a served list came from, and the package of an item, stay; what a client calls itself goes", () => {
    const sourceIn = (type: string, data: object) => {
      const place = {
        eventId: "e",
        stream: "item-a",
        revision: 1,
        position: 1,
        recordedAt: "2026-03-01T08:00:00.000Z",
      };
      const row = eventRow({ ...place, type, data, metadata: null }, createPseudonyms(key));
      return [row.source, (row.data as { source?: string } | null)?.source];
    };
    expect(sourceIn("ItemsServed", { learnerId: "ada", source: "popular" })).toEqual([null, "popular"]);
    expect(sourceIn("ItemPublished", { itemId: "a", source: "book-1" })).toEqual([null, "book-1"]);
    expect(sourceIn("InteractionRecorded", { learnerId: "ada", source: "ada's tablet" })).toEqual([null, undefined]);
    expect(sourceIn("Unheard", { source: "ada's tablet" })).toEqual([null, undefined]);
  });

  test("each field of an interaction has a column: a new one needs one too", () => {
    const columns = eventsTable.columns.map(({ name }) => name);
    // Spread over experimentId and arm.
    const elsewhere = ["experiment"];
    const missing = Object.keys(interactionRecordedSchema.shape).filter(
      (field) => !columns.includes(field) && !elsewhere.includes(field),
    );
    expect(missing).toEqual([]);
  });
});
