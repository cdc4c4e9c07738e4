import { type Estimate, meanInterval, pairedDifference } from "../statistics/intervals.ts";
import { type ClassMeasures, type ClassRun, type MeasureName, shareFalse } from "./measures.ts";
import type { PlacementMeasures } from "./placement-run.ts";
import type { ClassTask, PlacementTask, PolicyName, Simulation } from "./simulation.ts";

export interface ClassResult extends ClassTask, ClassRun {}
export interface PlacementResult extends PlacementTask {
  readonly measures: PlacementMeasures;
}

/** What a report is made of. */
export interface SimulationResult {
  readonly simulation: Simulation;
  /** Seeds that every policy was run with; fewer than asked for where it was stopped. */
  readonly seeds: number;
  readonly outcomes: readonly Outcome[];
  readonly comparisons: readonly Comparison[];
  readonly placement: readonly PlacementOutcome[];
}

/** Means over the seeds, with their intervals. */
export interface Outcome {
  readonly generator: Simulation["generators"][number];
  readonly policy: PolicyName;
  readonly measures: Readonly<Record<MeasureName, Estimate>>;
}

export interface PlacementOutcome {
  readonly policy: PlacementTask["policy"];
  readonly items: Estimate;
  readonly error: Estimate;
  /** Items of this policy over those of maximum information, mean over the seeds. */
  readonly length: Estimate;
}

/** The first policy against another on one main measure: the difference seed by seed, so that luck of the class cancels. */
export interface Comparison {
  readonly generator: Simulation["generators"][number];
  readonly policy: PolicyName;
  readonly baseline: PolicyName;
  readonly measure: MainMeasure;
  /** Policy minus baseline. */
  readonly difference: Estimate;
  /** "worse" and "better" where the interval leaves out zero. */
  readonly verdict: "better" | "same" | "worse";
  /** Of false mastery: the difference with all calls of each, however many. */
  readonly ofAllCalls?: Estimate;
}

/**
 * What policies are judged by, and whether more of it is better: docs/simulation.md says why these. False mastery is
 * compared among as many calls of each, those it is surest of: who calls little errs seldom.
 */
export const mainMeasures = {
  itemsToMastery: "less",
  trueAtEnd: "more",
  falseAtEnd: "less",
} as const satisfies Partial<Record<MeasureName, "less" | "more">>;
export type MainMeasure = keyof typeof mainMeasures;
export const mainMeasureNames = Object.keys(mainMeasures) as readonly MainMeasure[];

/** Seeds that are not complete are left out, so that all policies are measured on the same classes. */
export function summarise(
  simulation: Simulation,
  classes: readonly ClassResult[],
  placements: readonly PlacementResult[],
): SimulationResult {
  const { generators, policies } = simulation;
  const complete = completeSeeds(classes, generators.length * policies.length);
  const of = (generator: string, policy: string): ClassResult[] =>
    classes
      .filter((each) => each.generator === generator && each.policy === policy && complete.has(each.seed))
      .sort((a, b) => a.seed - b.seed);
  const outcomes = generators.flatMap((generator) =>
    policies.map(
      (policy): Outcome => ({
        generator,
        policy,
        measures: estimates(of(generator, policy).map(({ measures }) => measures)),
      }),
    ),
  );
  const [tested, ...baselines] = policies;
  const comparisons = generators.flatMap((generator) =>
    baselines.flatMap((baseline) => {
      const policy = tested ?? baseline;
      return mainMeasureNames.map((measure) =>
        compare({ generator, policy, baseline, measure }, of(generator, policy), of(generator, baseline)),
      );
    }),
  );
  return { simulation, seeds: complete.size, outcomes, comparisons, placement: placementOutcomes(placements) };
}

function completeSeeds(classes: readonly ClassResult[], each: number): Set<number> {
  const counts = new Map<number, number>();
  for (const { seed } of classes) counts.set(seed, (counts.get(seed) ?? 0) + 1);
  return new Set([...counts].filter(([, count]) => count === each).map(([seed]) => seed));
}

function estimates(all: readonly ClassMeasures[]): Record<MeasureName, Estimate> {
  const names = Object.keys(all[0] ?? {}) as MeasureName[];
  const entries = names.map((name) => [name, meanInterval(all.flatMap((measures) => measures[name] ?? []))] as const);
  return Object.fromEntries(entries) as Record<MeasureName, Estimate>;
}

function compare(
  compared: Pick<Comparison, "generator" | "policy" | "baseline" | "measure">,
  policy: readonly ClassResult[],
  baseline: readonly ClassResult[],
): Comparison {
  const { measure } = compared;
  const difference = differenceOf(policy, baseline, (own, other) => {
    if (measure !== "falseAtEnd") return [own.measures[measure], other.measures[measure]];
    // As many calls of each as the one has that made fewer.
    const calls = Math.min(own.calls.length, other.calls.length);
    return [shareFalse(own.calls.slice(0, calls)), shareFalse(other.calls.slice(0, calls))];
  });
  const sign = mainMeasures[measure] === "less" ? 1 : -1;
  const [low, high] = sign > 0 ? [difference.low, difference.high] : [-difference.high, -difference.low];
  const verdict = high < 0 ? "better" : low > 0 ? "worse" : "same";
  if (measure !== "falseAtEnd") return { ...compared, difference, verdict };
  const ofAllCalls = differenceOf(policy, baseline, (own, other) => [shareFalse(own.calls), shareFalse(other.calls)]);
  return { ...compared, difference, verdict, ofAllCalls };
}

/** Class by class; those are left out where one has nothing to tell. */
function differenceOf(
  policy: readonly ClassResult[],
  baseline: readonly ClassResult[],
  both: (own: ClassResult, other: ClassResult) => readonly [number | null, number | null],
): Estimate {
  const pairs = policy.flatMap((own, index) => {
    const other = baseline[index];
    const [a, b] = other === undefined ? [null, null] : both(own, other);
    return a === null || b === null ? [] : [{ a, b }];
  });
  return pairedDifference(
    pairs.map(({ a }) => a),
    pairs.map(({ b }) => b),
  );
}

function placementOutcomes(placements: readonly PlacementResult[]): PlacementOutcome[] {
  const of = (policy: string): PlacementResult[] =>
    placements.filter((each) => each.policy === policy).sort((a, b) => a.seed - b.seed);
  const shortest = new Map(of("max-information").map(({ seed, measures }) => [seed, measures.items]));
  return [...new Set(placements.map(({ policy }) => policy))].map((policy) => ({
    policy,
    items: meanInterval(of(policy).map(({ measures }) => measures.items)),
    error: meanInterval(of(policy).map(({ measures }) => measures.error)),
    length: meanInterval(
      of(policy).flatMap(({ seed, measures }) => {
        const least = shortest.get(seed);
        return least === undefined ? [] : measures.items / least;
      }),
    ),
  }));
}
