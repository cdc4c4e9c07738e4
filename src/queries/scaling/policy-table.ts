import type { Costs } from "../../domain/capacity/costs.ts";
import type { PipelineModel } from "../../domain/pipeline-simulation/model.ts";
import { pipelineModelOf } from "../../domain/pipeline-simulation/model-from-costs.ts";
import type { PolicyOutcome } from "../../domain/scaling/compare-policies.ts";
import { textTable } from "../text-table.ts";

export interface PolicyResult {
  readonly day: string;
  readonly policy: string;
  readonly outcome: PolicyOutcome;
}

/** So many times what an event was measured to cost: a day of ten times fewer events asks the same of a policy, and is simulated. */
const slowness = 10;

/** The measured pipeline with projectors ten times slower; one of them at the beginning. */
export function slowPipeline(costs: Costs, partitions: number): PipelineModel {
  const size = { apiProcesses: 4, partitions, workers: 1, streamed: true, memoryHitShare: 0.5 };
  const model = pipelineModelOf(costs, size);
  const { event, eventsMax } = model.projector;
  const slow = { event: { ...event, meanMs: event.meanMs * slowness }, eventsMax: eventsMax / slowness };
  return { ...model, projector: { ...model.projector, ...slow } };
}

const columns = [
  "day",
  "policy",
  "above 5 s, s",
  "longest lag, s",
  "worker-hours",
  "most",
  "changes",
  "visible p99, s",
];

/** Means over the seeds, by day and policy. */
export function policyTable(results: readonly PolicyResult[]): string[] {
  const keys = [...new Set(results.map(({ day, policy }) => `${day}\n${policy}`))];
  const rows = keys.map((key) => {
    const [day = "", policy = ""] = key.split("\n");
    const own = results.filter((one) => one.day === day && one.policy === policy).map(({ outcome }) => outcome);
    const mean = (of: (outcome: PolicyOutcome) => number): number =>
      own.reduce((sum, outcome) => sum + of(outcome), 0) / own.length;
    return [
      ...[day, policy, mean((one) => one.secondsAbove).toFixed(0), mean((one) => one.lagSecondsMax).toFixed(0)],
      ...[mean((one) => one.workerHours).toFixed(1), mean((one) => one.workersMax).toFixed(0)],
      ...[mean((one) => one.scalings).toFixed(0), mean((one) => one.visibleP99Ms / 1000).toFixed(1)],
    ];
  });
  return textTable([columns, ...rows]);
}
