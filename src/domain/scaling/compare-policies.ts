import { rateAt } from "../pipeline-simulation/arrivals.ts";
import { poisson } from "../pipeline-simulation/durations.ts";
import type { Controller } from "../pipeline-simulation/model.ts";
import { mulberry32 } from "../random.ts";
import { cpuController, lagController } from "./controllers.ts";
import { type DayProfile, dayProfile, spanSeconds } from "./day-profile.ts";
import type { Day } from "./days.ts";
import { defaultPolicy, type ScalingPolicy } from "./policy.ts";
import { type DayOutcome, type ProjectorDay, simulateDay } from "./simulated-day.ts";

/** The policy that scales by lag against others, over simulated days. */

export interface PolicyCase {
  readonly name: string;
  /** null: the workers of the model all day. */
  readonly controller: (profile: DayProfile | null) => Controller | null;
  readonly workers?: number;
}

const daySeconds = 86_400;
/** Older than this an answer does not feel immediate. */
export const objectiveSeconds = 5;

/** What the log would tell of the days before one. */
export function profileOfDaysBefore(day: Day, perSecond: number, seed: number, days = 7): DayProfile | null {
  const random = mulberry32(seed + 1_000_003);
  const spans = day.daysBefore(perSecond, seed, days).flatMap((posts, daysAgo) => {
    const rate = rateAt(posts);
    return Array.from({ length: daySeconds / spanSeconds }, (_, span) => {
      const startSeconds = span * spanSeconds;
      let mean = 0;
      for (let at = 15; at < spanSeconds; at += 30) mean += rate(startSeconds + at) * 30;
      return { startSeconds: startSeconds - (daysAgo + 1) * daySeconds, events: poisson(random, mean) };
    });
  });
  return dayProfile(spans);
}

/** `most`: workers that any of them may take. */
export function policyCases(most: number, policy: ScalingPolicy = defaultPolicy): PolicyCase[] {
  const byLag = (given: Partial<ScalingPolicy>) => (profile: DayProfile | null) =>
    lagController({ ...policy, ...given, workersMax: most }, profile);
  const byCpu = (target: number) => () => cpuController({ target, min: 1, max: most });
  return [
    { name: "lag", controller: byLag({}) },
    { name: "lag, no forecast", controller: byLag({ forecastErrorMax: 0 }) },
    { name: "lag, utilisation 70 %", controller: byLag({ utilisation: 0.7 }) },
    ...[80, 70, 60, 50].map((percent) => ({ name: `CPU ${percent} %`, controller: byCpu(percent / 100) })),
    { name: `${most} all day`, controller: () => null, workers: most },
  ];
}

export interface LivedDay {
  readonly day: Day;
  /** Posts, in the mean of all days. */
  readonly perSecond: number;
  readonly seed: number;
}

/** Lives a day with a policy. The same seed gives the same. */
export function liveWith(one: PolicyCase, projectors: ProjectorDay, { day, perSecond, seed }: LivedDay): DayOutcome {
  const controller = one.controller(profileOfDaysBefore(day, perSecond, seed));
  const workers = one.workers ?? projectors.workers;
  return simulateDay({ ...projectors, workers }, day.scenario(perSecond, seed), objectiveSeconds, controller);
}
