import type { Costs } from "../../domain/capacity/costs.ts";
import { pipelineModelOf } from "../../domain/pipeline-simulation/model-from-costs.ts";
import type { DayOutcome, ProjectorDay } from "../../domain/scaling/simulated-day.ts";
import { textTable } from "../text-table.ts";

export interface PolicyResult {
  readonly day: string;
  readonly policy: string;
  readonly outcome: DayOutcome;
}

/** So many times what an event was measured to cost: what matters to a policy is rate over pace, and lesser numbers are easier to read. */
const slowness = 10;

/** Projectors of the measured costs, ten times slower; one of them at the beginning. */
export function slowProjectors(
  costs: Costs,
  size: Pick<ProjectorDay, "partitions" | "startSeconds" | "restartSeconds">,
): ProjectorDay {
  const { partitions } = size;
  const model = pipelineModelOf(costs, { apiProcesses: 1, partitions, workers: 1, streamed: true, memoryHitShare: 1 });
  return { ...size, workers: 1, perWorker: 1000 / (model.projector.event.meanMs * slowness) };
}

const columns = ["day", "policy", "above 5 s, s", "longest lag, s", "worker-hours", "most", "changes"];

/** Means over the seeds, by day and policy. */
export function policyTable(results: readonly PolicyResult[]): string[] {
  const keys = [...new Set(results.map(({ day, policy }) => `${day}\n${policy}`))];
  const rows = keys.map((key) => {
    const [day = "", policy = ""] = key.split("\n");
    const own = results.filter((one) => one.day === day && one.policy === policy).map(({ outcome }) => outcome);
    const mean = (of: (outcome: DayOutcome) => number): number =>
      own.reduce((sum, outcome) => sum + of(outcome), 0) / own.length;
    return [
      ...[day, policy, mean((one) => one.secondsAbove).toFixed(0), mean((one) => one.lagSecondsMax).toFixed(0)],
      ...[mean((one) => one.workerHours).toFixed(1), mean((one) => one.workersMax).toFixed(0)],
      mean((one) => one.scalings).toFixed(0),
    ];
  });
  return textTable([columns, ...rows]);
}
