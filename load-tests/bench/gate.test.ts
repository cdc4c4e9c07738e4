import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mulberry32, type Random, standardNormal } from "../../src/domain/random.ts";
import { attempts, cpuRatioOf, type Floor, floorOf, floorsOn, judge, leastOf, replacing, toleranceOf } from "./gate.ts";
import type { PairedRound } from "./result.ts";

/** How a machine that others use, too, makes CPU times dearer. */
interface Noise {
  /** From run to run: what a process settles when it starts. */
  readonly betweenRuns: number;
  /** From round to round. */
  readonly jitter: number;
  /** Share of rounds that something else falls into, which then cost up to twice as much. */
  readonly busy: number;
}

const roundsOfRun = 18;

/** A process under measurement: the limit takes 15 us, ours 18 us and `slower` times that. Each call is an attempt. */
function started(random: Random, { betweenRuns, jitter, busy }: Noise, slower: number): () => PairedRound[] {
  const ours = 18 * slower * Math.exp(betweenRuns * standardNormal(random));
  const cost = (base: number): number =>
    base * (1 + jitter * Math.abs(standardNormal(random))) * (random() < busy ? 1 + random() : 1);
  return () =>
    Array.from({ length: roundsOfRun }, () => ({
      ours: { figure: 1, cpuUs: cost(ours) },
      limit: { figure: 1, cpuUs: cost(15) },
    }));
}

/** The share of runs that fail, each ten of them held against a floor recorded under the same noise. */
async function failing(random: Random, noise: Noise, floors: number, slower: number): Promise<number> {
  let failed = 0;
  for (let n = 0; n < floors; n += 1) {
    const floor = floorOf(Array.from({ length: 20 }, () => cpuRatioOf(started(random, noise, 1)())));
    for (let run = 0; run < 10; run += 1) {
      const measure = started(random, noise, slower);
      if ((await judge(floor, async () => measure())).verdict === "slower") failed += 1;
    }
  }
  return failed / (10 * floors);
}

test("floors hold on the processor that they were measured on", () => {
  const machine = {
    ...{ cores: 2, cpu: "AMD EPYC", memory_gb: 24, system: "Linux 6", node: "v24", postgres: "15", redis: "7" },
    ...{ load_average: 0, commit: null, dirty: false },
  };
  const floors = { recorded_at: "2026-11-28T00:00:00Z", machine, cases: {} };
  expect(floorsOn({ ...machine, memory_gb: 8, node: "v25", load_average: 9 }, [floors])).toBe(floors);
  expect(floorsOn({ ...machine, cores: 4 }, [floors])).toBeUndefined();
  expect(floorsOn({ ...machine, cpu: "Intel Xeon" }, [floors])).toBeUndefined();

  const ofIntel = { ...floors, machine: { ...machine, cpu: "Intel Xeon" } };
  const later = { ...floors, recorded_at: "2026-11-29T00:00:00Z" };
  expect(replacing(later, replacing(ofIntel, [floors]))).toEqual([ofIntel, later]);
});

describe("under noise as machines have it", () => {
  const noises = fc.record({
    betweenRuns: fc.double({ min: 0, max: 0.03, noNaN: true }),
    jitter: fc.double({ min: 0, max: 0.1, noNaN: true }),
    busy: fc.double({ min: 0, max: 0.4, noNaN: true }),
  });

  test("the same code hardly ever fails: at most 2 % of 200 runs, whatever the noise", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), noises, async (seed, noise) => {
        return (await failing(mulberry32(seed), noise, 20, 1)) <= 0.02;
      }),
      { numRuns: 20 },
    );
  });

  test("code that takes 30 % more CPU is caught: at least 85 % of 100 runs in the worst noise", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), noises, async (seed, noise) => {
        return (await failing(mulberry32(seed), noise, 10, 1.3)) >= 0.85;
      }),
      { numRuns: 20 },
    );
  });
});

const round = (ours: number | null, limit: number | null): PairedRound => ({
  ours: { figure: 1, cpuUs: ours },
  limit: { figure: 1, cpuUs: limit },
});

test("each side stands with the cheapest sixth of its rounds: what other work adds does not count", () => {
  const ours = [20, 90, 22, 40, 30, 25, 31];
  const limit = [30, 15, 17, 99, 15, 15, 15];
  const rounds = ours.map((us, n) => round(us, limit[n] ?? null));
  expect(cpuRatioOf(rounds)).toBeCloseTo(15 / 21);
  expect(cpuRatioOf([round(null, 15)])).toBeNaN();
});

test("the floor is the median of its runs, and the tolerance follows their spread within bounds", () => {
  const floor = floorOf([0.8, 0.82, 0.78, 0.81, 0.79]);
  expect(floor).toMatchObject({ ratio: 0.8, runs: 5, tolerance: 0.12 });
  expect(floor.sd).toBeCloseTo(0.0198, 3);
  expect(toleranceOf(0.06, 20)).toBeCloseTo(0.1269, 3);
  expect(toleranceOf(0.5, 20)).toBe(0.15);
  expect(leastOf(floor)).toBeCloseTo(0.704);
});

describe("the verdict", () => {
  const floor: Floor = { ratio: 0.8, sd: 0.02, runs: 20, tolerance: 0.1 };
  const judged = (...costs: number[]) => {
    const left = [...costs];
    return judge(floor, async () => {
      const ratio = left.shift() ?? Number.NaN;
      return Array.from({ length: 4 }, () => round(10 / ratio, 10));
    });
  };

  test("one attempt is enough where it is not below", async () => {
    expect(await judged(0.73)).toMatchObject({ verdict: "ok", ratios: [expect.closeTo(0.73)] });
    expect(await judged(0.9)).toMatchObject({ verdict: "better" });
  });

  test("what is below is measured again, and may pass with the rounds of both", async () => {
    const { verdict, ratios } = await judged(0.6, 0.81);
    expect(verdict).toBe("ok");
    expect(ratios).toHaveLength(2);
    expect(ratios[1]).toBeCloseTo(0.81);
  });

  test("what stays below fails after the last attempt", async () => {
    const { verdict, ratios } = await judged(0.6, 0.61, 0.6, 0.9);
    expect(verdict).toBe("slower");
    expect(ratios).toHaveLength(attempts);
  });

  test("without time for another attempt nothing is judged", async () => {
    const below = async () => [round(20, 10)];
    expect(await judge(floor, below, () => false)).toEqual({ verdict: "unsure", ratios: [0.5] });
  });

  test("a system that does not tell CPU time is said to be one", async () => {
    await expect(judge(floor, async () => [round(null, null)])).rejects.toThrow("does not tell CPU time");
  });
});
