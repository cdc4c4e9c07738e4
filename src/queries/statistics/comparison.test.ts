import { describe, expect, it } from "vitest";
import { seededRandom, standardNormal } from "../../domain/random.ts";
import { differenceInterval, type Part, ratioInterval } from "./comparison.ts";
import { meanInterval, wilsonInterval } from "./intervals.ts";

const means = (values: readonly number[]): Part[] => values.map((part) => ({ part, of: 1 }));

describe("ratio", () => {
  it("is a mean where each counts for one", () => {
    const values = [1, 4, 2, 8];
    const [ratio, mean] = [ratioInterval(means(values)), meanInterval(values)];
    expect(ratio.estimate).toBeCloseTo(mean.estimate, 12);
    expect(ratio.low).toBeCloseTo(mean.low, 12);
  });

  it("is that of the sums, and knows that a learner's answers hang together: it covers the truth where Wilson does not", () => {
    expect(
      ratioInterval([
        { part: 1, of: 2 },
        { part: 8, of: 8 },
      ]).estimate,
    ).toBe(0.9);
    const random = seededRandom("clustered answers");
    let [covered, naive] = [0, 0];
    const runs = 400;
    for (let run = 0; run < runs; run += 1) {
      const parts = Array.from({ length: 60 }, () => {
        const p = random() < 0.5 ? 0.55 : 0.85;
        const of = 10 + Math.floor(random() * 40);
        return { part: Array.from({ length: of }, () => random()).filter((u) => u < p).length, of };
      });
      const { low, high } = ratioInterval(parts);
      if (low <= 0.7 && 0.7 <= high) covered += 1;
      const [right, all] = [parts.reduce((n, { part }) => n + part, 0), parts.reduce((n, { of }) => n + of, 0)];
      const wilson = wilsonInterval(right, all);
      if (wilson.low <= 0.7 && 0.7 <= wilson.high) naive += 1;
    }
    expect(covered / runs).toBeGreaterThan(0.92);
    expect(naive / runs).toBeLessThan(0.75);
  });

  it("of nothing is not a number", () => {
    expect(ratioInterval([]).estimate).toBeNaN();
    expect(ratioInterval([{ part: 0, of: 0 }]).estimate).toBeNaN();
    expect(differenceInterval(means([1]), means([2, 3])).low).toBeNaN();
  });
});

describe("difference", () => {
  it("is Welch's (a known example)", () => {
    const [a, b] = [means([3, 4, 1, 2.1]), means([490.2, 340, 433.9])];
    const { estimate, low, high } = differenceInterval(a, b);
    // Known of these samples: t = -9.559 with 2.0008 degrees of freedom, p = .01075; 4.3019 is the quantile.
    expect(estimate / ((high - low) / 2 / 4.3019)).toBeCloseTo(-9.5594, 2);
  });

  it("of nothing at all excludes 0 at a look in five of a hundred at the most, though one looks again and again", () => {
    const random = seededRandom("no difference, many looks");
    const runs = 300;
    let [once, always] = [0, 0];
    for (let run = 0; run < runs; run += 1) {
      const [a, b]: [Part[], Part[]] = [[], []];
      let [fooled, alwaysFooled] = [false, false];
      for (let n = 1; n <= 400; n += 1) {
        a.push({ part: standardNormal(random), of: 1 });
        b.push({ part: standardNormal(random), of: 1 });
        if (n < 20 || n % 10 > 0) continue;
        const { low, high, alwaysLow, alwaysHigh } = differenceInterval(a, b);
        fooled ||= low > 0 || high < 0;
        alwaysFooled ||= alwaysLow > 0 || alwaysHigh < 0;
      }
      once += fooled ? 1 : 0;
      always += alwaysFooled ? 1 : 0;
    }
    expect(once / runs).toBeGreaterThan(0.2);
    expect(always / runs).toBeLessThanOrEqual(0.05);
  });
});
