import fc from "fast-check";
import { expect, test } from "vitest";
import { kaplanMeier, type Lifetime } from "./kaplan-meier.ts";

const lifetimes = (ended: readonly number[], censored: readonly number[]): Lifetime[] => [
  ...ended.map((time) => ({ time, ended: true })),
  ...censored.map((time) => ({ time, ended: false })),
];

/** Weeks of remission under 6-MP: Freireich and others 1963, the example of most textbooks. */
const remission = lifetimes([6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]);

test("the 6-MP group of Freireich 1963, as the textbooks have it", () => {
  const { steps, median, n, ended } = kaplanMeier(remission);
  expect([n, ended, median]).toEqual([21, 9, 23]);
  expect(steps.map(({ time, atRisk }) => [time, atRisk])).toEqual([
    [6, 21],
    [7, 17],
    [10, 15],
    [13, 12],
    [16, 11],
    [22, 7],
    [23, 6],
  ]);
  const expected = [0.857, 0.807, 0.753, 0.69, 0.627, 0.538, 0.448];
  for (const [k, { survival }] of steps.entries()) expect(survival).toBeCloseTo(expected[k] ?? 0, 3);
});

test("its interval is that of R's survfit with conf.type log-log", () => {
  const first = kaplanMeier(remission).steps[0];
  expect(first?.low).toBeCloseTo(0.62, 2);
  expect(first?.high).toBeCloseTo(0.952, 3);
});

test("nobody ended: all go on, and there is no median", () => {
  expect(kaplanMeier(lifetimes([], [3, 5]))).toEqual({ n: 2, ended: 0, steps: [], end: 5, median: null });
  expect(kaplanMeier([])).toEqual({ n: 0, ended: 0, steps: [], end: 0, median: null });
});

test("without censoring it is the share that is left; it never grows, and holds its own interval", () => {
  const lifetime = fc.record<Lifetime>({ time: fc.integer({ min: 0, max: 20 }), ended: fc.boolean() });
  fc.assert(
    fc.property(fc.array(lifetime, { minLength: 1, maxLength: 60 }), (all) => {
      const done = all.map(({ time }) => ({ time, ended: true }));
      for (const { time, survival } of kaplanMeier(done).steps) {
        expect(survival).toBeCloseTo(done.filter((each) => each.time > time).length / done.length, 9);
      }
      let before = 1;
      for (const { survival, low, high } of kaplanMeier(all).steps) {
        expect(survival).toBeLessThanOrEqual(before);
        if (survival > 0) expect(low <= survival && survival <= high).toBe(true);
        before = survival;
      }
    }),
  );
});
