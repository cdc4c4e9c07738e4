import { describe, expect, test } from "vitest";
import { generatorNames } from "../../domain/simulated-learners/generators.ts";
import { runClass } from "./class-run.ts";
import { gini } from "./measures.ts";
import { posteriorOf, runPlacement } from "./placement-run.ts";
import { policies } from "./policies/registry.ts";
import { renderSimulationHtml, renderSimulationText } from "./report.ts";
import { runTask, simulationTasks, summariseTasks } from "./run-task.ts";
import { policyNames, type Simulation, simulationSchema } from "./simulation.ts";
import { summarise } from "./summary.ts";

const small = simulationSchema.parse({
  ...{ seeds: 3, learners: 6, skills: 4, itemsPerSkill: 12, policies: ["proximal", "random", "popular"] },
});

describe("a class", () => {
  test("is a function of simulation and task", () => {
    const task = { generator: "forgetting", policy: "proximal", seed: 7 } as const;
    expect(runClass(small, task)).toEqual(runClass(small, task));
    expect(runClass(small, task)).not.toEqual(runClass(small, { ...task, seed: 8 }));
  });

  test.each(policyNames)("under %s gives figures within their bounds", (policy) => {
    const horizon = small.horizonPerSkill * small.skills;
    const { measures } = runClass(small, { generator: "school", policy, seed: 3 });
    for (const name of ["itemsToMastery", "itemsToCall", "itemsToTruth"] as const) {
      expect(measures[name]).toBeGreaterThan(0);
      expect(measures[name]).toBeLessThanOrEqual(horizon);
    }
    expect(measures.itemsToMastery).toBeGreaterThanOrEqual(
      Math.max(measures.itemsToCall, measures.itemsToTruth) - 1e-9,
    );
    for (const name of ["reached", "trueAtEnd", "success", "calibration", "reviews", "exposureGini"] as const) {
      expect(measures[name]).toBeGreaterThanOrEqual(0);
      expect(measures[name]).toBeLessThanOrEqual(1);
    }
    expect(measures.minutesInBudget).toBeGreaterThan(0);
  });

  test.each(generatorNames)(
    "of %s learns from Proximal in clearly fewer items than from chance or the popular",
    (generator) => {
      const mean = (policy: "proximal" | "random" | "popular", measure: "itemsToMastery" | "trueAtEnd"): number => {
        const runs = [1, 2, 3, 4, 5, 6].map((seed) => runClass(small, { generator, policy, seed }).measures[measure]);
        return runs.reduce((sum, value) => sum + value, 0) / runs.length;
      };
      for (const baseline of ["random", "popular"] as const) {
        expect(mean("proximal", "itemsToMastery")).toBeLessThan(0.8 * mean(baseline, "itemsToMastery"));
        expect(mean("proximal", "trueAtEnd")).toBeGreaterThan(mean(baseline, "trueAtEnd") + 0.05);
      }
    },
  );
});

describe("placement", () => {
  test("the posterior is that of the Rasch model: by hand, and at even odds", () => {
    expect(posteriorOf([])).toEqual({ ability: 0, error: 1 });
    const evens = Array.from({ length: 40 }, (_, k) => ({ itemId: `${k}`, difficulty: 0, correct: k % 2 === 0 }));
    expect(posteriorOf(evens).ability).toBeCloseTo(0, 6);
    expect(posteriorOf(evens).error).toBeCloseTo(1 / Math.sqrt(11), 6);
    // One right answer to an item of difficulty 0: the mode solves 1 - logistic(a) = a.
    const { ability } = posteriorOf([{ itemId: "one", difficulty: 0, correct: true }]);
    expect(1 - 1 / (1 + Math.exp(-ability))).toBeCloseTo(ability, 6);
  });

  test("takes far fewer items than chance", () => {
    const items = (policy: "proximal" | "random"): number => runPlacement(small, { policy, seed: 1 }).items;
    expect(items("proximal")).toBeLessThan(0.9 * items("random"));
  });
});

describe("the summary", () => {
  const one: Simulation = { ...small, generators: ["bkt"], policies: ["proximal", "random"] };

  test("tells apart what is beyond the interval, and which way is better", () => {
    const { measures: base, calls } = runClass(one, { generator: "bkt", policy: "proximal", seed: 1 });
    const classes = [1, 2, 3, 4].flatMap((seed) => [
      {
        generator: "bkt" as const,
        policy: "proximal" as const,
        ...{ seed, calls },
        measures: { ...base, itemsToMastery: 50 + seed },
      },
      {
        ...{ generator: "bkt" as const, policy: "random" as const, seed, calls },
        measures: { ...base, itemsToMastery: 90 + 1.1 * seed, trueAtEnd: base.trueAtEnd + 0.1 + seed / 1000 },
      },
    ]);
    const { comparisons, seeds } = summarise(one, classes.slice(0, -1), []);
    expect(seeds).toBe(3);
    expect(comparisons.map(({ measure, verdict }) => [measure, verdict])).toEqual([
      ["itemsToMastery", "better"],
      ["trueAtEnd", "worse"],
      ["falseAtEnd", "same"],
    ]);
    expect(comparisons[0]?.difference.estimate).toBeCloseTo(-40.2, 6);
  });

  test("false mastery is compared among as many calls of each, the surest, and told of all calls beside", () => {
    const { measures } = runClass(one, { generator: "bkt", policy: "proximal", seed: 1 });
    const verdict = (own: readonly boolean[], other: readonly boolean[]) => {
      const classes = [1, 2, 3].flatMap((seed) => [
        { generator: "bkt" as const, policy: "proximal" as const, seed, measures, calls: own },
        { generator: "bkt" as const, policy: "random" as const, seed, measures, calls: other },
      ]);
      return summarise(one, classes, []).comparisons.find(({ measure }) => measure === "falseAtEnd");
    };
    const [right, wrong] = [true, false];
    // Wrong beyond what the other dared to call: of all calls it is more, of as many calls it is not.
    expect(verdict([right, right, wrong], [right, right])).toMatchObject({
      ...{ verdict: "same", difference: { estimate: 0 }, ofAllCalls: { estimate: 1 / 3 } },
    });
    // Wrong among those it is surest of: worse, however few the other called.
    expect(verdict([wrong, right, right], [right])?.verdict).toBe("worse");
    // The same rule where the other called more.
    expect(verdict([right, wrong], [right, right, wrong, wrong])?.verdict).toBe("worse");
    expect(verdict([right], [wrong, right, right])?.verdict).toBe("better");
  });

  test("is told as text and as a page", () => {
    const results = simulationTasks(one).map((task) => runTask(one, task));
    const summary = summariseTasks(one, results);
    const text = renderSimulationText(summary);
    expect(text).toContain("3 classes of 6 learners");
    expect(text).toMatch(/^ {2}proximal {2}/m);
    expect(text).toContain("Placement: items to a standard error of .3");
    const page = renderSimulationHtml(summary);
    expect(page).toContain("<svg");
    expect(page).toContain("False mastery");
    expect(page).not.toContain("NaN");
  });
});

test("the Gini index: 0 of equals, towards 1 when one has all", () => {
  expect(gini([3, 3, 3])).toBeCloseTo(0, 12);
  expect(gini([0, 0, 0, 8])).toBeCloseTo(0.75, 12);
  expect(gini([0, 0])).toBe(0);
});

test("every policy of the list is there", () => {
  expect(Object.keys(policies)).toEqual([...policyNames]);
});
