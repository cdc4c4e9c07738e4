import fc from "fast-check";
import { expect, test } from "vitest";
import { interactionInputSchema, isInteractionInput, readInteraction } from "./interaction-input.ts";

const idText = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }),
  fc.constantFrom(
    "",
    " ",
    "a b",
    "a\n",
    "a\u0000",
    "\ud800",
    "é".repeat(200),
    "x".repeat(200),
    "x".repeat(201),
    "😀".repeat(101),
  ),
);
const number = fc.oneof(
  fc.double(),
  fc.integer({ min: -2, max: 11_000 }),
  fc.constantFrom(
    0,
    -0,
    0.5,
    1,
    5,
    604_800_000,
    604_800_001,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    2 ** 53,
    2 ** 53 + 2,
    9_999.5,
  ),
);
const time = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(
    ...[
      "2026-02-29T00:00:00Z",
      "2024-02-29T00:00:00Z",
      "2026-01-01",
      "2026-01-01T00:00:00",
      "2026-01-01T00:00:00+02:00",
    ],
    ...["2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00Z", "x"],
    ...["2026-01-01t00:00:00z", "2026-01-01T00:00:00Z\n", "+002026-01-01T00:00:00Z", "2026-13-01T00:00:00Z"],
  ),
);
const anything = fc.oneof(fc.anything(), fc.constantFrom(null, undefined, [], {}, "", true, 1));
/** Mostly of the right kind, so that most inputs are nearly good. */
const nearly = <T>(one: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 12, arbitrary: one }, { weight: 1, arbitrary: anything });

const fields = fc.record(
  {
    ...{ id: nearly(idText), learnerId: nearly(idText), itemId: nearly(idText) },
    kind: nearly(fc.constantFrom("answer", "view", "hint", "skip", "rating", "Answer", "")),
    ...{ correct: nearly(fc.boolean()), score: nearly(number), rating: nearly(number), durationMs: nearly(number) },
    ...{ hintCount: nearly(number), sessionId: nearly(idText), trackId: nearly(idText), selectionId: nearly(idText) },
    sessionType: nearly(fc.constantFrom("practice", "review", "placement", "mock_test", "exam")),
    ...{ occurredAt: nearly(time), source: nearly(idText) },
    ...{ misspelt: anything, constructor: anything },
  },
  { requiredKeys: ["learnerId", "itemId", "kind"] },
);
const good = fc.record(
  {
    ...{ id: fc.uuid(), learnerId: fc.uuid(), itemId: fc.uuid(), kind: fc.constantFrom("answer", "view", "rating") },
    ...{
      correct: fc.boolean(),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
      rating: fc.integer({ min: 1, max: 5 }),
    },
    ...{ durationMs: fc.nat(), hintCount: fc.nat({ max: 10_000 }), source: fc.constantFrom("app", "a b", "ü") },
    occurredAt: fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5+02:00"),
  },
  { requiredKeys: ["learnerId", "itemId", "kind"] },
);

test("the compiled check says of each input what the schema says, and the schema changes none", () => {
  let taken = 0;
  const agree = (input: unknown): void => {
    const parsed = interactionInputSchema.safeParse(input);
    expect(isInteractionInput(input)).toBe(parsed.success);
    if (!parsed.success) return;
    taken += 1;
    expect(parsed.data).toEqual(input);
  };
  fc.assert(fc.property(fc.oneof({ weight: 3, arbitrary: fields }, good, anything), agree), { numRuns: 5_000 });
  expect(taken).toBeGreaterThan(300);
});

test("as it comes over the wire: what JSON can say", () => {
  const texts = fc.oneof(fields, good, anything).map((input) => JSON.stringify(input) ?? "null");
  fc.assert(
    fc.property(texts, (text) => {
      const input: unknown = JSON.parse(text);
      expect(isInteractionInput(input)).toBe(interactionInputSchema.safeParse(input).success);
    }),
    { numRuns: 2_000 },
  );
  const infinite: unknown = JSON.parse('{"learnerId":"a","itemId":"b","kind":"view","durationMs":1e999}');
  expect(isInteractionInput(infinite)).toBe(false);
});

test("a refusal has the schema's words", () => {
  const read = readInteraction(
    { learnerId: "a", itemId: "b", kind: "answer", correct: "yes", extra: 1 },
    0,
    () => "id",
  );
  expect(read).toMatchObject({ ok: false });
  expect(read.ok ? [] : read.errors.map(({ path }) => path).toSorted()).toEqual(["correct", "extra"]);
});
