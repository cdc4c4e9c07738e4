import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AnswerTransition } from "../domain/learner/learner-state.ts";
import { countAnswer, decodeItemSums, encodeItemSums, itemStats, mergeItemStats, newItemSums } from "./item-stats.ts";

const answer = fc.record({
  correct: fc.boolean(),
  first: fc.boolean(),
  p: fc.double({ min: 0, max: 1, noNaN: true }),
  ability: fc.double({ min: -4, max: 4, noNaN: true }),
  hinted: fc.boolean(),
  durationMs: fc.option(fc.integer({ min: 1, max: 600_000 }), { nil: null }),
});
const answers = fc.array(answer, { maxLength: 80 });

function counted(all: readonly AnswerTransition[]) {
  const sums = newItemSums();
  for (const one of all) countAnswer(sums, one);
  return sums;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Pearson's correlation by its definition. */
function correlation(xs: readonly number[], ys: readonly number[]): number {
  const [mx, my] = [mean(xs), mean(ys)];
  const covariance = mean(xs.map((x, at) => (x - mx) * ((ys[at] ?? 0) - my)));
  const spread = (values: readonly number[], m: number) => Math.sqrt(mean(values.map((value) => (value - m) ** 2)));
  return covariance / (spread(xs, mx) * spread(ys, my));
}

describe("item stats", () => {
  test("are the rates, the median and the correlation of the answers", () => {
    fc.assert(
      fc.property(answers, (all) => {
        const stats = itemStats(counted(all));
        const right = all.filter(({ correct }) => correct).length;
        expect(stats).toMatchObject({
          attempts: all.length,
          learners: all.filter(({ first }) => first).length,
          correct: right,
          successRate: all.length === 0 ? null : right / all.length,
          hintRate: all.length === 0 ? null : all.filter(({ hinted }) => hinted).length / all.length,
        });
        const durations = all.flatMap(({ durationMs }) => durationMs ?? []).sort((a, b) => a - b);
        if (durations.length === 0) expect(stats.medianDurationMs).toBeNull();
        else {
          // Between the middle durations, give or take a bucket's width of 19 %.
          const low = durations[Math.floor((durations.length - 1) / 2)] ?? 0;
          const high = durations[Math.floor(durations.length / 2)] ?? 0;
          expect(stats.medianDurationMs).toBeGreaterThan(low / 1.2 - 1);
          expect(stats.medianDurationMs).toBeLessThan(high * 1.2 + 1);
        }
      }),
    );
  });

  test("discrimination is the point-biserial correlation with ability", () => {
    fc.assert(
      fc.property(fc.array(answer, { minLength: 10, maxLength: 80 }), (all) => {
        const abilities = all.map(({ ability }) => ability);
        const outcomes = all.map(({ correct }) => (correct ? 1 : 0));
        fc.pre(new Set(outcomes).size === 2 && Math.max(...abilities) - Math.min(...abilities) > 0.5);
        expect(itemStats(counted(all)).discrimination).toBeCloseTo(correlation(abilities, outcomes), 2);
      }),
    );
  });

  test("the success interval is Wilson's", () => {
    // statsmodels: proportion_confint(7, 10, method="wilson") and (0, 10), (10, 10)
    const interval = (correct: number, n: number) => {
      const one = { first: true, p: 0.5, ability: 0, hinted: false, durationMs: null };
      return itemStats(counted(Array.from({ length: n }, (_, at) => ({ ...one, correct: at < correct }))))
        .successInterval;
    };
    expect(interval(7, 10)?.map((x) => x.toFixed(4))).toEqual(["0.3968", "0.8922"]);
    expect(interval(0, 10)?.map((x) => x.toFixed(4))).toEqual(["0.0000", "0.2775"]);
    expect(interval(10, 10)?.map((x) => x.toFixed(4))).toEqual(["0.7225", "1.0000"]);
  });

  test("merge over partitions and survive storage, to the last bit", () => {
    fc.assert(
      fc.property(answers, answers, (a, b) => {
        const whole = itemStats(counted([...a, ...b]));
        expect(mergeItemStats([encodeItemSums(counted(a)), null, encodeItemSums(counted(b))])).toEqual(whole);
        expect(decodeItemSums(encodeItemSums(counted(a)))).toEqual(counted(a));
        expect(encodeItemSums(counted([...a].reverse()))).toEqual(encodeItemSums(counted(a)));
      }),
    );
  });

  test("of an item nobody answered are zeros and nulls", () => {
    expect(mergeItemStats([null])).toEqual({
      ...{ attempts: 0, learners: 0, correct: 0, successRate: null, successInterval: null },
      ...{ medianDurationMs: null, hintRate: null, discrimination: null },
    });
  });
});
