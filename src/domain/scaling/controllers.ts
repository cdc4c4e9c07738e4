import type { Controller, Observation } from "../pipeline-simulation/model.ts";
import { type CpuScalingOptions, cpuScalingEverySeconds, createCpuScaling } from "./cpu-scaling.ts";
import type { DayProfile } from "./day-profile.ts";
import type { ScalingPolicy } from "./policy.ts";
import { createRoleScaler } from "./role-scaler.ts";

/** Policies as the pipeline's simulation asks them. */

/** The policy that serves, on the same code; `profile`: what the log tells of the days before. */
export function lagController(policy: ScalingPolicy, profile: DayProfile | null, everySeconds = 15): Controller {
  const scaler = createRoleScaler("projector", policy);
  scaler.useProfile(profile);
  return {
    everySeconds,
    decide(seen) {
      scaler.observe({
        ...{ atSeconds: seen.atSeconds, running: seen.workers, rateIn: seen.rateIn, rateOut: seen.rateOut },
        ...{ backlog: seen.lagEvents, lagSeconds: seen.lagSeconds, busyShare: seen.busyShare },
        partitions: partitionsOf(seen),
      });
      const desired = scaler.plan()?.desired ?? seen.workersAsked;
      return desired === seen.workersAsked ? null : desired;
    },
  };
}

/** The simulation tells the age of the oldest event of all: partitions are folded at like pace, so ages are as backlogs are. */
function partitionsOf({ lagByPartition, lagSeconds }: Observation) {
  const most = Math.max(1, ...lagByPartition);
  return lagByPartition.map((backlog, partition) => ({
    partition,
    backlog,
    lagSeconds: (lagSeconds * backlog) / most,
  }));
}

/** Kubernetes' scaling by CPU. */
export function cpuController(options: CpuScalingOptions): Controller {
  const scaling = createCpuScaling(options);
  return {
    everySeconds: cpuScalingEverySeconds,
    decide({ atSeconds, workers, workersAsked, busyShare }) {
      const desired = scaling.decide({ atSeconds, asked: workersAsked, ready: workers, busyShare });
      return desired === workersAsked ? null : desired;
    },
  };
}
