import { describe, expect, it } from "vitest";
import { type Random, seededRandom } from "../../domain/random.ts";
import { type Decision, type EstimateName, estimatesOf, evidenceOf } from "./estimators.ts";

/**
 * Learners of two kinds meet five items. The logged policy gives the item that suits, and at rate .4 any; the other gives the
 * next harder one. The model's expectations are off by up to .15, otherwise for each item.
 */
const items = 5;
const truth = (kind: number, item: number): number => 0.9 - 0.15 * item + 0.1 * kind * (item > 2 ? -1 : 1);
const expected = (kind: number, item: number): number =>
  truth(kind, item) + (item % 2 === 0 ? 0.15 : -0.1) * (kind - 0.3);
const logged = (kind: number, item: number): number => (item === kind ? 0.6 : 0) + 0.4 / items;
const other = (kind: number, item: number): number => (item === kind + 1 ? 0.8 : 0) + 0.2 / items;
const all = Array.from({ length: items }, (_, item) => item);

function drawn(uniform: number, probability: (item: number) => number): number {
  let below = 0;
  for (const item of all) {
    below += probability(item);
    if (uniform < below) return item;
  }
  return items - 1;
}

function decisions(random: Random, learners: number, policy = logged): Decision[][] {
  return Array.from({ length: learners }, () => {
    const kind = random() < 0.5 ? 0 : 1;
    const luck = (random() - 0.5) * 0.1;
    return Array.from({ length: 1 + Math.floor(random() * 6) }, () => {
      const item = drawn(random(), (one) => policy(kind, one));
      return {
        reward: random() < truth(kind, item) + luck ? 1 : 0,
        ...{ logged: policy(kind, item), other: other(kind, item), expected: expected(kind, item) },
        expectedOfOther: all.reduce((sum, one) => sum + other(kind, one) * expected(kind, one), 0),
      };
    });
  });
}

/** Half of the learners are of each kind. */
const valueOfOther = all.reduce(
  (sum, item) => sum + (other(0, item) * truth(0, item) + other(1, item) * truth(1, item)) / 2,
  0,
);

describe("estimates of another policy", () => {
  it("agree with running it", () => {
    const ran = decisions(seededRandom("run it"), 20_000, other).flat();
    expect(ran.reduce((sum, { reward }) => sum + reward, 0) / ran.length).toBeCloseTo(valueOfOther, 2);
  });

  it("hold the truth in their 95 % intervals about so often, over many logs, though the model is wrong; it alone does not", () => {
    const runs = Number(process.env.PROXIMAL_FAULT_RUNS ?? 60);
    const covered: Record<string, number> = {};
    const widths: Record<string, number> = {};
    for (let run = 0; run < runs; run += 1) {
      const random = seededRandom(`log ${run}`);
      const estimates = estimatesOf(decisions(random, 300), random, 250);
      for (const name of ["ips", "snips", "dr", "model"] as const) {
        const { low, high } = estimates[name];
        covered[name] = (covered[name] ?? 0) + (low <= valueOfOther && valueOfOther <= high ? 1 : 0);
        widths[name] = (widths[name] ?? 0) + (high - low) / runs;
      }
    }
    for (const name of ["ips", "snips", "dr"]) {
      expect((covered[name] ?? 0) / runs, name).toBeGreaterThan(0.89);
    }
    expect((covered.model ?? 0) / runs).toBeLessThan(0.6);
    expect(widths.dr).toBeLessThan(widths.ips ?? 0);
    if (runs > 60) process.stdout.write(`of ${runs} logs: ${JSON.stringify({ covered, widths })}\n`);
  }, 900_000);

  it("of the very policy that served are what was logged, with full evidence", () => {
    const same = decisions(seededRandom("same"), 50).map((all) => all.map((one) => ({ ...one, other: one.logged })));
    const { logged: was, ips, snips, clipped } = estimatesOf(same, seededRandom("b"), 50);
    for (const estimate of [ips, snips, clipped]) expect(estimate.estimate).toBeCloseTo(was.estimate, 12);
    const evidence = evidenceOf(same);
    expect(evidence.effective).toBeCloseTo(evidence.decisions, 6);
    expect([evidence.weightMax, evidence.weightMean]).toEqual([1, 1]);
  });

  it("say how little evidence there is where policies hardly meet", () => {
    const apart = decisions(seededRandom("apart"), 400).map((all) =>
      all.map((one) => ({ ...one, other: one.logged < 0.1 ? 0.9 : 0.001 })),
    );
    const { decisions: n, effective, weightMax } = evidenceOf(apart);
    expect(effective).toBeLessThan(n / 2);
    expect(weightMax).toBeCloseTo(0.9 / 0.08, 9);
    expect(evidenceOf([])).toMatchObject({ decisions: 0, learners: 0, effective: 0 });
  });

  it("are all there, each by its name", () => {
    const estimates = estimatesOf([], seededRandom("none"), 10);
    const names: EstimateName[] = ["logged", "ips", "snips", "clipped", "model", "dr", "gain"];
    expect(Object.keys(estimates)).toEqual(names);
    expect(estimates.dr.estimate).toBeNaN();
  });
});
