import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { quotedFile, readResult } from "./history.ts";
import { quoting, withQuote } from "./quote.ts";

const root = join(import.meta.dirname, "../..");

describe.each(Object.keys(quoting))("%s", (document) => {
  const text = readFileSync(join(root, document), "utf8");

  test("says of speed what the saved run says; if not: npm run bench -- --quote", () => {
    expect(withQuote(text, document, readResult(quotedFile))).toBe(text);
  });

  test("another figure would be noticed", () => {
    const saved = readResult(quotedFile);
    const cases = saved.cases.map((one) => ({
      ...one,
      rounds: one.rounds.map(({ ours, limit }) => ({ ours: { ...ours, figure: ours.figure * 1.01 }, limit })),
    }));
    expect(withQuote(text, document, { ...saved, cases })).not.toBe(text);
  });
});

test("a document without a place for figures is refused", () => {
  expect(() => withQuote("text", "README.md", readResult(quotedFile))).toThrow("README.md has no place for figures");
});
