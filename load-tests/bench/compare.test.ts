import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mulberry32, type Random, standardNormal } from "../../src/domain/random.ts";
import { bootstrapInterval, meanOf } from "../../src/queries/statistics/intervals.ts";
import { changeOf, compareRuns, comparisonTable, reservations } from "./compare.ts";
import { benchRun, caseWith } from "./test-runs.ts";

/** Rounds' ratios as a busy machine gives them: lognormal, now and then a round that something else fell into. */
function noisyRounds(random: Random, n: number, sd: number, outliers: number): number[] {
  return Array.from({ length: n }, () => {
    const hit = random() < outliers ? Math.log(0.5 + random()) : 0;
    return 0.8 * Math.exp(sd * standardNormal(random) + hit);
  });
}

describe("what counts as changed", () => {
  test("two runs of the same code are seldom called different, whatever the noise", () => {
    const noise = fc.record({
      seed: fc.integer(),
      rounds: fc.integer({ min: 3, max: 9 }),
      sd: fc.double({ min: 0.005, max: 0.3, noNaN: true }),
      outliers: fc.constantFrom(0, 0.05, 0.2),
    });
    fc.assert(
      fc.property(noise, ({ seed, rounds, sd, outliers }) => {
        const random = mulberry32(seed);
        const runs = 400;
        let alarms = 0;
        for (let n = 0; n < runs; n += 1) {
          const [before, after] = [
            noisyRounds(random, rounds, sd, outliers),
            noisyRounds(random, rounds, sd, outliers),
          ];
          if (changeOf(before, after, "higher").verdict !== "same") alarms += 1;
        }
        // 1 % is what is promised; 16 of 400 is six standard deviations above.
        return alarms <= 16;
      }),
      { numRuns: 40 },
    );
  });

  test("a path that is 30 % slower is called worse where rounds differ by 5 %", () => {
    const random = mulberry32(7);
    const found = Array.from({ length: 500 }, () => {
      const slower = noisyRounds(random, 5, 0.05, 0).map((ratio) => ratio / 1.3);
      return changeOf(noisyRounds(random, 5, 0.05, 0), slower, "higher").verdict;
    });
    expect(found.filter((verdict) => verdict === "worse").length).toBeGreaterThan(490);
  });

  test("a percentile bootstrap of five rounds would miss the truth far more often than the 1 % it promises", () => {
    const random = mulberry32(11);
    const missed = Array.from({ length: 400 }, () => {
      const logs = noisyRounds(random, 5, 0.1, 0).map((ratio) => Math.log(ratio / 0.8));
      const { low, high } = bootstrapInterval(logs, meanOf, { random, confidence: 0.99 });
      return low > 0 || high < 0;
    }).filter(Boolean).length;
    expect(missed / 400).toBeGreaterThan(0.04);
  });

  test("less is better for a latency, and small changes are none", () => {
    expect(changeOf([100, 101, 99], [60, 61, 59], "lower")).toMatchObject({ verdict: "better" });
    expect(changeOf([100, 101, 99], [60, 61, 59], "higher")).toMatchObject({ verdict: "worse" });
    expect(changeOf([100, 101, 99], [97, 98, 96], "higher")).toMatchObject({ verdict: "same" });
    expect(changeOf([100], [50], "higher")).toMatchObject({ verdict: "too few rounds", change: expect.closeTo(0.5) });
  });
});

describe("two runs", () => {
  const before = benchRun([caseWith("next", [0.8, 0.81, 0.79], [0.9, 0.91, 0.89])]);

  test("ratios are compared where there is a limit, and cases that one run lacks are left out", () => {
    const after = benchRun([caseWith("next", [0.5, 0.51, 0.49], [0.9, 0.9, 0.91]), caseWith("new", [1], [1])]);
    expect(compareRuns(before, after).map(({ name, of, verdict }) => [name, of, verdict])).toEqual([
      ["next", "ratio", "worse"],
      ["next", "ratio by CPU", "same"],
    ]);
    expect(comparisonTable(compareRuns(before, after))).toContain("| next | ratio | 0.8 | 0.5 | -37.5 % (");
  });

  test("a figure without a limit is compared on a machine of the same class only", () => {
    const alone = (figure: number) => ({
      ...caseWith("rebuild", [1], [1]),
      limit: null,
      rounds: [figure, figure * 1.01, figure * 0.99].map((each) => ({
        ours: { figure: each, cpuUs: null },
        limit: null,
      })),
    });
    const [first, second] = [benchRun([alone(30)]), benchRun([alone(60)])];
    expect(compareRuns(first, second)).toMatchObject([{ name: "rebuild", of: "requests/s", verdict: "better" }]);
    const elsewhere = { ...second, machine: { ...second.machine, cores: 64 } };
    expect(compareRuns(first, elsewhere)).toEqual([]);
    expect(reservations(first, elsewhere)[0]).toContain("another machine (2 cores");
  });

  test("says what stands between the two: versions, scale, load, parameters", () => {
    const other = benchRun([{ ...caseWith("next", [0.8], [0.9]), parameters: { connections: 64 } }]);
    const now = { ...other, scale: "quick" as const, machine: { ...other.machine, node: "v25.0.0", load_average: 9 } };
    expect(reservations(before, now)).toEqual([
      "node v24.0.0 then, v25.0.0 now",
      "scale full then, quick now",
      "the machine was busy now: load average 9 on 2 cores",
      "measured with other parameters: next",
    ]);
    expect(reservations(before, before)).toEqual([]);
  });
});
