import { rateAt } from "../pipeline-simulation/arrivals.ts";
import { poisson } from "../pipeline-simulation/durations.ts";
import type { Controller, PipelineModel, Scenario } from "../pipeline-simulation/model.ts";
import { simulatePipeline } from "../pipeline-simulation/simulate-pipeline.ts";
import { mulberry32 } from "../random.ts";
import { cpuController, lagController } from "./controllers.ts";
import { type DayProfile, dayProfile } from "./day-profile.ts";
import { defaultPolicy, type ScalingPolicy } from "./policy.ts";

/** The policy that scales by lag against others, over a day of the simulated pipeline. */

export interface PolicyOutcome {
  /** Time in which what waited longest was older than the objective. */
  readonly secondsAbove: number;
  readonly lagSecondsMax: number;
  readonly workerHours: number;
  readonly workersMax: number;
  readonly scalings: number;
  /** From sending an answer to a list that includes it; 99 % of answers. */
  readonly visibleP99Ms: number;
  /** Interactions that no projector had folded at the end of the day. */
  readonly notFolded: number;
}

export interface PolicyCase {
  readonly name: string;
  /** null: the workers of the model all day. */
  readonly controller: (scenario: Scenario) => Controller | null;
  readonly workers?: number;
}

export const daySeconds = 86_400;
/** Older than this an answer does not feel immediate. */
export const objectiveSeconds = 5;

/** What the days before a scenario looked like, by the hour: its curve without spikes. */
export function profileOfDaysBefore({ posts, seed }: Scenario, days = 7): DayProfile | null {
  const rate = rateAt({ ...posts, spikes: [] });
  const random = mulberry32(seed + 1_000_003);
  const hours = Array.from({ length: days * 24 }, (_, hour) => {
    const startSeconds = hour * 3600;
    return { startSeconds, events: poisson(random, rate(startSeconds + 1800) * 3600) };
  });
  return dayProfile(hours);
}

/** `most`: workers that any of them may take. */
export function policyCases(most: number, policy: ScalingPolicy = defaultPolicy): PolicyCase[] {
  const byLag = (given: Partial<ScalingPolicy>) => (scenario: Scenario) =>
    lagController({ ...policy, ...given, workersMax: most }, profileOfDaysBefore(scenario));
  const byCpu = (target: number) => () => cpuController({ target, min: 1, max: most });
  return [
    { name: "lag, with forecast", controller: byLag({}) },
    { name: "lag, no forecast", controller: byLag({ forecastErrorMax: 0 }) },
    { name: "CPU 70 %", controller: byCpu(0.7) },
    { name: "CPU 60 %", controller: byCpu(0.6) },
    { name: "CPU 50 %", controller: byCpu(0.5) },
    { name: `${most} all day`, controller: () => null, workers: most },
  ];
}

/** Lives a day with a policy. The same seed gives the same. */
export function liveWith(one: PolicyCase, model: PipelineModel, scenario: Scenario): PolicyOutcome {
  const sampleSeconds = 5;
  const workers = one.workers ?? model.projector.workers;
  const given = { ...model, projector: { ...model.projector, workers } };
  const controller = one.controller(scenario) ?? undefined;
  const result = simulatePipeline(given, { ...scenario, sampleSeconds }, controller);
  const above = result.timeline.filter(({ lagSeconds }) => lagSeconds > objectiveSeconds).length;
  return {
    secondsAbove: above * sampleSeconds,
    lagSecondsMax: result.lag.secondsMax,
    ...{ workerHours: result.workerHours, workersMax: result.workersMax, scalings: result.scalings },
    ...{ visibleP99Ms: result.visible.p99Ms, notFolded: result.interactions.notFolded },
  };
}
