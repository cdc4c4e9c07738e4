import fc from "fast-check";
import { expect, test } from "vitest";
import { emptySeries, latestOf, withPoint } from "./series.ts";

const values = (entries: Record<string, number | null>) => new Map(Object.entries(entries));

test("lines join when they come, and are broken where nobody looked", () => {
  let series = withPoint(emptySeries, 100, values({ a: 1 }), 10);
  series = withPoint(series, 101, values({ a: 2, b: 5 }), 10);
  series = withPoint(series, 120, values({ b: 6 }), 10);
  expect(series).toEqual({
    names: ["a", "b"],
    columns: [
      [100, 101, 102, 120],
      [1, 2, null, null],
      [null, 5, null, 6],
    ],
  });
  expect(latestOf(series)).toEqual([
    { name: "a", value: null },
    { name: "b", value: 6 },
  ]);
});

test("columns are of one length, no longer than asked, and time goes on", () => {
  const points = fc.array(
    fc.record({
      after: fc.integer({ min: 1, max: 20 }),
      values: fc.dictionary(fc.constantFrom("a", "b", "c"), fc.nat()),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(points, fc.integer({ min: 1, max: 20 }), (all, max) => {
      let series = emptySeries;
      let seconds = 0;
      for (const point of all) {
        seconds += point.after;
        series = withPoint(series, seconds, values(point.values), max);
      }
      const [times = [], ...lines] = series.columns;
      expect(lines).toHaveLength(series.names.length);
      for (const line of lines) expect(line).toHaveLength(times.length);
      expect(times.length).toBeLessThanOrEqual(max);
      expect(times).toEqual([...new Set(times)].sort((a, b) => Number(a) - Number(b)));
    }),
  );
});
