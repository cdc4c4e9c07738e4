import fc from "fast-check";
import { expect, test } from "vitest";
import { isoTime } from "./iso-time.ts";

test("a time is written as Date writes it, whatever the one before was", () => {
  const times = fc.oneof(
    fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
    fc.integer({ min: 1_772_352_000_000, max: 1_772_352_180_000 }),
    fc.constantFrom(8.64e15, -8.64e15, 0, -1, 59_999, 60_000),
  );
  fc.assert(
    fc.property(fc.array(times), (all) => {
      for (const ms of all) expect(isoTime(ms)).toBe(new Date(ms).toISOString());
    }),
    { numRuns: 500 },
  );
  expect(isoTime(1000.4)).toBe("1970-01-01T00:00:01.000Z");
  expect(() => isoTime(Number.NaN)).toThrow(RangeError);
  expect(isoTime(1)).toBe("1970-01-01T00:00:00.001Z");
});
