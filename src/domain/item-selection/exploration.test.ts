import { describe, expect, it } from "vitest";
import { selectionInput } from "../../../test/support/selection-inputs.ts";
import { explore, uniforms } from "./exploration.ts";
import { selectItems } from "./select.ts";
import type { SelectionInput } from "./selection.ts";

/** How far a frequency of n draws may stray from its probability: 5 standard deviations, one draw at the least. */
const tolerance = (p: number, n: number): number => 5 * Math.sqrt(Math.max(p * (1 - p), 1 / n) / n);

/** How often each candidate stood at each place, and the propensity logged for it. */
type Counts = Map<string, { count: number; propensity: number }>;

function count(counts: Counts, what: string, propensity: number): void {
  const seen = counts.get(what);
  if (seen === undefined) counts.set(what, { count: 1, propensity });
  else if (seen.propensity !== propensity) throw new Error(`${what} is logged with two propensities`);
  else seen.count++;
}

describe("explore", () => {
  it.each([
    [5, 5, 0.5],
    [7, 3, 0.3],
    [2, 2, 1],
    [1, 1, 0.5],
  ])(
    "%i candidates on %i places at rate %f: each stands at each place as often as its propensity says",
    (candidates, places, rate) => {
      const runs = 40_000;
      const counts: Counts = new Map();
      for (let run = 0; run < runs; run++) {
        const { ranks, propensities } = explore(candidates, places, rate, `learner:${run}`);
        if (new Set(ranks).size !== places) throw new Error("a candidate stands twice");
        for (const [place, rank] of ranks.entries()) count(counts, `${place}/${rank}`, propensities[place] ?? 0);
      }
      for (const [what, { count: times, propensity }] of counts) {
        expect(Math.abs(times / runs - propensity), what).toBeLessThan(tolerance(propensity, runs));
      }
      for (let place = 0; place < places; place++) {
        const ofPlace = [...counts].filter(([what]) => what.startsWith(`${place}/`));
        expect(ofPlace.reduce((sum, [, { propensity }]) => sum + propensity, 0)).toBeCloseTo(1, 12);
      }
    },
  );

  it("draws the first place uniformly from all candidates, at the rate", () => {
    const { propensities, ranks } = explore(10, 4, 0.2, "seed");
    expect(propensities[0]).toBeCloseTo(ranks[0] === 0 ? 0.8 + 0.02 : 0.02, 12);
  });

  it("at rate 0 changes nothing", () => {
    expect(explore(4, 2, 0, "seed")).toEqual({ ranks: [0, 1], propensities: [1, 1] });
  });
});

describe("a practice list", () => {
  const items = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [`i${i}`, { skillIds: [i % 2 === 0 ? "a" : "b"], p: 0.8 - 0.05 * i }]),
  );
  const example = {
    skills: { a: {}, b: {}, c: {} },
    items: { ...items, pin: { skillIds: ["a"] }, known: { skillIds: ["c"] } },
    pinned: ["pin"],
    mastery: { a: 0.5, b: 0.4, c: 0.99 },
    policy: { explorationRate: 0.4, reviewShare: 0.5 },
  };
  const input = {
    ...selectionInput(example),
    due: [{ skillId: "c", itemId: null, dueAt: 1 }],
    size: 5,
  };

  const logged = (given: SelectionInput): Counts => {
    const runs = 20_000;
    const counts: Counts = new Map();
    for (let run = 0; run < runs; run++) {
      for (const [place, item] of selectItems({ ...given, seed: `learner-${run}:12` }).items.entries()) {
        count(counts, `${place}/${item.itemId}`, item.propensity);
      }
    }
    for (const [what, { count: times, propensity }] of counts) {
      expect(Math.abs(times / runs - propensity), what).toBeLessThan(tolerance(propensity, runs));
    }
    return counts;
  };

  it("logs for each item at its place how often it stands there, over learners in the same standing", () => {
    expect(logged(input).size).toBeGreaterThan(20);
  });

  it("does so under a mix of topics, drawing among items of the same topics only", () => {
    const topics = [{ skillId: "a", minShare: 0.4, maxShare: 0.5 }];
    const counts = logged({ ...input, policy: { ...input.policy, topics } });
    expect(counts.size).toBeGreaterThan(10);
    const ofTopic = Map.groupBy(counts.keys(), (what) => what.split("/")[0]);
    for (const stood of ofTopic.values()) {
      const skills = stood.map((what) => items[what.split("/")[1] ?? ""]?.skillIds.includes("a") ?? "pin or review");
      expect(new Set(skills).size).toBe(1);
    }
  });

  it("does so under a budget of time, drawing among items that take as long", () => {
    const sessionBudget = { minutes: 60, items: null };
    const seconds = (n: number) => ({ expectedSeconds: n % 2 === 0 ? 30 : 90 });
    const timed = Object.fromEntries(Object.entries(items).map(([id, item], n) => [id, { ...item, ...seconds(n) }]));
    const given = selectionInput({
      ...example,
      items: timed,
      pinned: [],
      policy: { ...example.policy, sessionBudget },
    });
    const counts = logged({ ...given, size: 5 });
    expect(counts.size).toBeGreaterThan(12);
    for (const stood of Map.groupBy(counts.keys(), (what) => what.split("/")[0]).values()) {
      expect(new Set(stood.map((what) => timed[what.split("/")[1] ?? ""]?.expectedSeconds)).size).toBe(1);
    }
  });

  it("draws pins and reviews never, and says what it drew", () => {
    for (let run = 0; run < 200; run++) {
      const list = selectItems({ ...input, seed: `learner-${run}:1` }).items;
      for (const { reason, propensity, itemId } of list) {
        if (reason.code === "pinned" || reason.code === "due_review") expect(propensity).toBe(1);
        else expect(propensity).toBeLessThan(1);
        if (reason.code === "exploration") expect(items[itemId]?.skillIds).toEqual([reason.skillId]);
      }
      expect(list[0]?.itemId).toBe("pin");
      expect(list.filter(({ reason }) => reason.code === "due_review")).toHaveLength(1);
    }
  });
});

describe("uniforms", () => {
  it("depend on the seed only, and are spread evenly", () => {
    const bins = new Array<number>(20).fill(0);
    let sum = 0;
    for (let learner = 0; learner < 2_000; learner++) {
      const draw = uniforms(`learner-${learner}:7`);
      for (let i = 0; i < 10; i++) {
        const value = draw();
        const bin = Math.floor(value * 20);
        bins[bin] = (bins[bin] ?? 0) + 1;
        sum += value;
      }
    }
    expect(uniforms("x")()).toBe(uniforms("x")());
    expect(uniforms("x")()).not.toBe(uniforms("y")());
    expect(bins).toHaveLength(20);
    expect(sum / 20_000).toBeCloseTo(0.5, 1);
    // Chi-squared with 19 degrees of freedom: above 50 once in 10,000.
    expect(bins.reduce((chi, count) => chi + (count - 1_000) ** 2 / 1_000, 0)).toBeLessThan(50);
  });
});
