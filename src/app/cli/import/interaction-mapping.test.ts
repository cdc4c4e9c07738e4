import { describe, expect, it } from "vitest";
import { type Mapping, mappingOf, readObject, readRow } from "./interaction-mapping.ts";

const options = { skillSeparator: ";", idPrefix: "" };
const header = ["seq", "split", "user_id", "item_id", "skill_ids", "timestamp", "correct"];

function mapping(columns: readonly string[], map: Record<string, string> = {}): Mapping {
  const made = mappingOf(columns, new Map(Object.entries(map)), options);
  if ("problem" in made) throw new Error(made.problem);
  return made;
}
const problemOf = (columns: readonly string[], map: Record<string, string> = {}) => {
  const made = mappingOf(columns, new Map(Object.entries(map)), options);
  return "problem" in made ? made.problem : null;
};
const reading = (columns: readonly string[], cells: readonly string[], map: Record<string, string> = {}) =>
  readRow(mapping(columns, map), cells, columns.length, 1);

describe("a row", () => {
  it("of the usual columns needs no mapping; an id comes from seq, a time of 0 is none", () => {
    expect(reading(header, ["17", "test", "8", "7", "6;9", "0", "0"])).toEqual({
      ok: true,
      interaction: {
        input: { id: "seq-17", learnerId: "8", itemId: "7", kind: "answer", correct: false },
        skillIds: ["6", "9"],
      },
    });
    expect(mapping(header).ignored).toEqual(["split"]);
  });

  it("without seq is named by its number, with the prefix asked for", () => {
    const made = mappingOf(["user_id", "item_id", "correct"], new Map(), { skillSeparator: ";", idPrefix: "spring-" });
    if ("problem" in made) throw new Error(made.problem);
    expect(readRow(made, ["a", "i", "1"], 3, 12)).toMatchObject({ interaction: { input: { id: "spring-row-12" } } });
  });

  it("may have any column names, with a mapping", () => {
    const columns = ["student", "exercise", "ok", "ms", "kind", "when"];
    const map = { student: "learnerId", exercise: "itemId", ok: "correct", ms: "durationMs", when: "occurredAt" };
    expect(reading(columns, ["ann", "x1", "TRUE", "2500", "answer", "2024-05-01 10:00:00"], map)).toEqual({
      ok: true,
      interaction: {
        input: {
          id: "row-1",
          kind: "answer",
          learnerId: "ann",
          itemId: "x1",
          correct: true,
          durationMs: 2500,
          occurredAt: "2024-05-01T10:00:00.000Z",
        },
        skillIds: [],
      },
    });
  });

  it.each([
    ["1700000000", "2023-11-14T22:13:20.000Z"],
    ["1700000000.5", "2023-11-14T22:13:20.500Z"],
    ["1700000000123", "2023-11-14T22:13:20.123Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["2024-02-29T12:00:00+02:00", "2024-02-29T10:00:00.000Z"],
    ["0", undefined],
    ["", undefined],
  ])("with the time %j happened at %j", (cell, at) => {
    const row = reading(["user_id", "item_id", "timestamp"], ["a", "i", cell]);
    expect(row.ok && row.interaction.input.occurredAt).toBe(at);
  });

  it.each([
    [["8", "7", "maybe", "0"], 'correct: 0 or 1, not "maybe"'],
    [["8", "7", "1", "yesterday"], 'occurredAt: seconds or milliseconds since 1970 or ISO 8601, not "yesterday"'],
    [["8", "7", "1", "2024-13-45"], 'occurredAt: seconds or milliseconds since 1970 or ISO 8601, not "2024-13-45"'],
    [["8", "7", "1"], "3 columns where the header has 4"],
  ])("%j is refused", (cells, problem) => {
    expect(reading(["user_id", "item_id", "correct", "timestamp"], cells)).toEqual({ ok: false, problem });
  });
});

describe("a mapping that cannot work is refused with what to do", () => {
  it.each([
    [["a", "b"], {}, "no column for learnerId and itemId; the file has a, b; say which, like --map a=learnerId"],
    [header, { nobody: "learnerId" }, `--map nobody=learnerId: no such column; the file has ${header.join(", ")}`],
  ])("%j %j", (columns, map, problem) => {
    expect(problemOf(columns, map as Record<string, string>)).toBe(problem);
  });
  it("names the fields there are", () => {
    expect(problemOf(header, { seq: "order" })).toMatch(
      /^--map seq=order: no such field; fields are id, seq, learnerId, /,
    );
  });
});

describe("a line of NDJSON", () => {
  it("is the body of a POST, and may carry the item's skills", () => {
    expect(readObject({ learnerId: "a", itemId: "i", kind: "view", skillIds: ["s"] }, "", 3)).toEqual({
      ok: true,
      interaction: { input: { id: "row-3", learnerId: "a", itemId: "i", kind: "view" }, skillIds: ["s"] },
    });
    expect(readObject({ id: "x", learnerId: "a", itemId: "i", kind: "view" }, "", 3)).toMatchObject({
      interaction: { input: { id: "x" } },
    });
  });
  it.each([
    [[1], "not a JSON object"],
    ["x", "not a JSON object"],
    [{ skillIds: "s" }, "skillIds: a list of texts"],
  ])("%j is refused", (value, problem) => expect(readObject(value, "", 1)).toEqual({ ok: false, problem }));
});
