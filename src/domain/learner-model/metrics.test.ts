import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { measure } from "./metrics.ts";

const of = (...pairs: [p: number, y: 0 | 1][]) =>
  measure(
    Float64Array.from(pairs, ([p]) => p),
    Uint8Array.from(pairs, ([, y]) => y),
  );

describe("measure", () => {
  test("by hand: four answers", () => {
    const metrics = of([0.9, 1], [0.6, 0], [0.3, 1], [0.2, 0]);
    expect(metrics).toMatchObject({ answers: 4, correct: 0.5, auc: 0.75, accuracy: 0.5 });
    expect(metrics.rmse).toBeCloseTo(Math.sqrt((0.01 + 0.36 + 0.49 + 0.04) / 4), 12);
    expect(metrics.logLoss).toBeCloseTo(-(Math.log(0.9) + Math.log(0.4) + Math.log(0.3) + Math.log(0.8)) / 4, 12);
    expect(metrics.ece).toBeCloseTo((0.1 + 0.6 + 0.7 + 0.2) / 4, 12);
  });

  test("a perfect ranking has AUC 1, the opposite 0, equal predictions one half", () => {
    expect(of([0.8, 1], [0.7, 1], [0.2, 0]).auc).toBe(1);
    expect(of([0.1, 1], [0.7, 0], [0.2, 0]).auc).toBe(0);
    expect(of([0.4, 1], [0.4, 0], [0.4, 0]).auc).toBe(0.5);
  });

  test("AUC is not defined with one kind of outcome", () => {
    expect(of([0.4, 1], [0.6, 1]).auc).toBeNull();
    expect(of([0.4, 0]).auc).toBeNull();
  });

  test("AUC is the share of pairs in the right order, ties counting half", () => {
    const pair = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom<0 | 1>(0, 1));
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1, maxLength: 60 }), (pairs) => {
        const scaled = pairs.map(([p, y]): [number, 0 | 1] => [p / 10, y]);
        let wins = 0;
        let all = 0;
        for (const [p, y] of scaled) {
          for (const [q, z] of scaled) {
            if (y !== 1 || z !== 0) continue;
            all += 1;
            wins += p > q ? 1 : p === q ? 0.5 : 0;
          }
        }
        const { auc } = of(...scaled);
        if (all === 0) expect(auc).toBeNull();
        else expect(auc).toBeCloseTo(wins / all, 12);
      }),
    );
  });

  test("bins are of equal width, an edge belongs to the bin above it, and 1 to the last", () => {
    const { bins } = of([0.1, 1], [0.05, 0], [1 - 1e-16, 1], [0.95, 0]);
    expect(bins.map(({ answers }) => answers)).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
    expect(bins[1]).toEqual({ from: 0.1, to: 0.2, answers: 1, predicted: 0.1, observed: 1 });
    expect(bins[2]).toMatchObject({ predicted: null, observed: null });
    expect(bins[9]?.observed).toBe(0.5);
  });

  test("predictions that are right on average in each bin have no calibration error", () => {
    expect(of([0.25, 0], [0.25, 0], [0.25, 0], [0.25, 1]).ece).toBe(0);
  });

  test("nothing to measure, or lists that do not match, is a mistake of the caller", () => {
    expect(() => measure(new Float64Array(), new Uint8Array())).toThrow("no predictions");
    expect(() => measure(new Float64Array(2), new Uint8Array(1))).toThrow("2 predictions for 1 outcomes");
  });
});
