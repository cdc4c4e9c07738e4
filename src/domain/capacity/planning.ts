import type { Costs, Engine, OperationName } from "./costs.ts";
import type { Demand, Rules, Workload } from "./workload.ts";

/** What everything of a plan is made from. */
export interface Planning {
  readonly costs: Costs;
  readonly workload: Workload;
  readonly rules: Rules;
  readonly demand: Demand;
  /** CPU seconds of an operation on a core of the fleet. */
  cpu(operation: OperationName, engine?: Engine): number;
}
