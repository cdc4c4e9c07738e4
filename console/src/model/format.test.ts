import { expect, test } from "vitest";
import { agoOf, count, duration, percent, rate, share } from "./format.ts";

test("lengths of time are in their largest units", () => {
  const shown = [0, 0.23, 9.96, 48, 185, 3_600, 7_800, 350_000].map(duration);
  expect(shown).toEqual(["0 s", "0.2 s", "10 s", "48 s", "3 min 5 s", "1 h", "2 h 10 min", "4 d 1 h"]);
  expect([duration(null), duration(undefined), duration(Number.POSITIVE_INFINITY)]).toEqual(["-", "-", "never"]);
  expect(agoOf("2026-03-01T08:00:00.000Z", Date.parse("2026-03-01T08:01:05.000Z"))).toBe("1 min 5 s ago");
  expect(agoOf("2026-03-01T08:00:01.000Z", Date.parse("2026-03-01T08:00:00.000Z"))).toBe("0 s ago");
});

test("numbers are short, and say where they are not known", () => {
  expect([rate(null), rate(0), rate(0.25), rate(4.04), rate(12_345.6)]).toEqual(["-", "0", "0.3", "4", "12,346"]);
  expect([count(1234), percent(0.413)]).toEqual(["1,234", "41 %"]);
  expect([share(1), share(0.999999), share(0.5)]).toEqual(["100 %", "99.99 %", "50 %"]);
});
