import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultPolicy } from "./policy.ts";
import { effectiveWorkers, secondsToDrain, targetRate, workersFor } from "./target.ts";

describe("the rate that is wanted", () => {
  it("is input at its utilisation, the backlog in its time, and what piles up while workers are changed", () => {
    const policy = { utilisation: 0.5, catchUpSeconds: 100, restartSeconds: 10 };
    expect(targetRate({ rateIn: 200, backlog: 0 }, policy)).toBe(400 + 20);
    expect(targetRate({ rateIn: 0, backlog: 5000 }, policy)).toBe(50);
    expect(targetRate({ rateIn: 200, backlog: 5000 }, policy)).toBe(470);
  });

  it("carries the input and drains the backlog in time, also after a restart", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 1e9 }), (rateIn, backlog) => {
        const target = targetRate({ rateIn, backlog }, defaultPolicy);
        expect(rateIn).toBeLessThanOrEqual(target);
        const afterRestart = backlog + rateIn * defaultPolicy.restartSeconds;
        const drained = secondsToDrain({ rateIn, backlog: afterRestart }, target);
        expect(drained ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(defaultPolicy.catchUpSeconds * (1 + 1e-9));
      }),
    );
  });
});

describe("workers for a rate", () => {
  it.each([
    // 12 partitions: 4.1 workers' worth takes 6, which have two partitions each; 5 would have one with three.
    { target: 410, partitions: 12, workers: 6, wanted: 5, capped: false },
    { target: 400, partitions: 12, workers: 4, wanted: 4, capped: false },
    { target: 610, partitions: 12, workers: 12, wanted: 7, capped: false },
    { target: 1300, partitions: 12, workers: 12, wanted: 13, capped: true },
    { target: 0, partitions: 12, workers: 1, wanted: 1, capped: false },
    // Seven have no divisor: 3 workers carry 2.33.
    { target: 201, partitions: 7, workers: 3, wanted: 3, capped: false },
    { target: 101, partitions: 1, workers: 1, wanted: 2, capped: true },
    { target: 450, partitions: null, workers: 5, wanted: 5, capped: false },
  ])("%o of 100 each", ({ target, partitions, ...expected }) => {
    expect(workersFor(target, 100, partitions, 64)).toEqual(expected);
  });

  const asked = fc.record({
    target: fc.double({ min: 0, max: 5000, noNaN: true }),
    perWorker: fc.double({ min: 1, max: 500, noNaN: true }),
    partitions: fc.integer({ min: 1, max: 256 }),
    most: fc.integer({ min: 1, max: 300 }),
  });

  it("are the fewest that carry it by the pace of the busiest, and no more than there are partitions", () => {
    fc.assert(
      fc.property(asked, ({ target, perWorker, partitions, most }) => {
        const { workers, capped } = workersFor(target, perWorker, partitions, most);
        const carries = (n: number): boolean =>
          effectiveWorkers(n, partitions) * perWorker >= target * (1 - 1e-9) - 1e-6;
        const ceiling = Math.min(partitions, most);
        expect(workers).toBeGreaterThanOrEqual(1);
        expect(workers).toBeLessThanOrEqual(ceiling);
        if (!carries(workers)) expect(workers).toBe(ceiling);
        for (let fewer = 1; fewer < workers; fewer += 1) {
          expect(carries(fewer) && effectiveWorkers(fewer, partitions) >= effectiveWorkers(workers, partitions)).toBe(
            false,
          );
          if (carries(workers)) expect(carries(fewer)).toBe(false);
        }
        if (capped) expect(workers).toBe(ceiling);
      }),
    );
  });

  it("grow with the rate", () => {
    fc.assert(
      fc.property(
        asked,
        fc.double({ min: 1, max: 3, noNaN: true }),
        ({ target, perWorker, partitions, most }, factor) => {
          const [one, more] = [target, target * factor].map(
            (rate) => workersFor(rate, perWorker, partitions, most).workers,
          );
          expect(more).toBeGreaterThanOrEqual(one ?? 0);
        },
      ),
    );
  });

  it("are divisors of the partitions where these have enough of them", () => {
    const found = new Set<number>();
    for (let target = 1; target <= 1200; target += 7) found.add(workersFor(target, 100, 12, 99).workers);
    expect([...found].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 6, 12]);
  });
});

it("a backlog drains in its size over what is left of the capacity, or never", () => {
  expect(secondsToDrain({ rateIn: 100, backlog: 1000 }, 200)).toBe(10);
  expect(secondsToDrain({ rateIn: 200, backlog: 1000 }, 200)).toBeNull();
  expect(secondsToDrain({ rateIn: 200, backlog: 0 }, 100)).toBe(0);
});
