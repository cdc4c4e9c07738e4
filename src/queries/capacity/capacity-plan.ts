import { type Costs, lawsOf, type ScalingName } from "../../domain/capacity/costs.ts";
import { type Plan, planCapacity } from "../../domain/capacity/plan.ts";
import { type MonthlyCost, monthlyCost, type Prices } from "../../domain/capacity/prices.ts";
import {
  bestN,
  ceilingOf,
  fitScalability,
  type ScalabilityFit,
  type ThroughputPoint,
  throughputAt,
} from "../../domain/capacity/scalability.ts";
import type { Rules, Workload } from "../../domain/capacity/workload.ts";
import { mulberry32 } from "../../domain/random.ts";
import { bootstrapInterval, type Estimate } from "../statistics/intervals.ts";

/** A plan with what it stands on, and what it would be with the dearest and the cheapest round of the measurement. */
export interface CapacityPlan {
  readonly plan: Plan;
  readonly cheapest: Plan;
  readonly dearest: Plan;
  readonly cost: MonthlyCost;
  readonly costRange: { readonly low: number; readonly high: number };
  readonly laws: readonly FittedLaw[];
  readonly measured: Pick<Costs, "measuredAt" | "command" | "machine" | "settings" | "notes">;
}

export interface FittedLaw {
  readonly name: ScalingName;
  readonly title: string;
  readonly points: readonly ThroughputPoint[];
  readonly fit: ScalabilityFit;
  /** n of the highest throughput, and that; Infinity where it only levels off, or does not. */
  readonly best: number;
  readonly ceiling: number;
  /** 95 % by residual bootstrap. */
  readonly intervals: Readonly<Record<"lambda" | "sigma" | "kappa" | "ceiling", Estimate>>;
}

/** `laws` are those of the costs: who makes several plans of the same costs fits them once. */
export function makeCapacityPlan(
  costs: Costs,
  { workload, rules, prices }: { readonly workload: Workload; readonly rules: Rules; readonly prices: Prices },
  laws: readonly FittedLaw[] = fitLaws(costs),
): CapacityPlan {
  const planWith = (which: "median" | "min" | "max"): Plan => planCapacity(costsAt(costs, which), workload, rules);
  const [plan, cheapest, dearest] = [planWith("median"), planWith("min"), planWith("max")];
  const { measuredAt, command, machine, settings, notes } = costs;
  return {
    ...{ plan, cheapest, dearest, cost: monthlyCost(plan, prices) },
    costRange: { low: monthlyCost(cheapest, prices).total, high: monthlyCost(dearest, prices).total },
    laws,
    measured: { measuredAt, command, machine, settings, notes },
  };
}

/** The costs as if every operation had cost what it did in that round. */
function costsAt(costs: Costs, which: "median" | "min" | "max"): Costs {
  if (which === "median") return costs;
  const cpu = Object.entries(costs.cpu).map(([operation, engines]) => [
    operation,
    Object.fromEntries(
      Object.entries(engines ?? {}).map(([engine, spread]) => [engine, { ...spread, median: spread?.[which] }]),
    ),
  ]);
  return { ...costs, cpu: Object.fromEntries(cpu) };
}

const titles: Readonly<Record<ScalingName, string>> = {
  nextByConnections: "Next lists of one process, by clients at once",
  postByConnections: "Durable POSTs of one process, by clients at once",
  postByProcesses: "Durable POSTs on one log, by processes with four clients each",
};

const resamples = 200;

export function fitLaws(costs: Costs): FittedLaw[] {
  return Object.entries(lawsOf(costs)).map(([key, fit]) => {
    const name = key as ScalingName;
    const points = costs.scaling[name];
    return {
      ...{ name, title: titles[name], points, fit, best: bestN(fit), ceiling: ceilingOf(fit) },
      intervals: intervalsOf(points, fit),
    };
  });
}

/**
 * Residual bootstrap (Efron and Tibshirani 1993, 9.4): the n stay as they were, the throughput of each is the fitted one
 * times a residual drawn from all of them, which are relative because noise grows with what is measured.
 */
export function intervalsOf(points: readonly ThroughputPoint[], fit: ScalabilityFit): FittedLaw["intervals"] {
  const fits = new Map<string, ScalabilityFit>();
  const refit = (residuals: readonly number[]): ScalabilityFit => {
    // Each parameter is asked of the same samples.
    const key = residuals.join();
    const known = fits.get(key);
    if (known !== undefined) return known;
    const made = fitScalability(
      points.map(({ n }, at) => ({ n, throughput: throughputAt(fit, n) * (1 + (residuals[at] ?? 0)) })),
      fit,
    );
    fits.set(key, made);
    return made;
  };
  const interval = (of: (refitted: ScalabilityFit) => number): Estimate => ({
    ...bootstrapInterval(fit.residuals, (sample) => of(refit(sample)), { random: mulberry32(1), resamples }),
    estimate: of(fit),
  });
  return {
    lambda: interval(({ lambda }) => lambda),
    sigma: interval(({ sigma }) => sigma),
    kappa: interval(({ kappa }) => kappa),
    ceiling: interval((refitted) => Math.min(1e12, ceilingOf(refitted))),
  };
}
