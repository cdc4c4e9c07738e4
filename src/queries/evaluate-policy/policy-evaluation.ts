import type { PolicyOverrides } from "../../domain/events.ts";
import type { Estimates, Evidence } from "./estimators.ts";
import type { RewardName } from "./rewards.ts";
import type { PassedOver } from "./served-in-log.ts";

export interface PolicyEvaluation {
  readonly trackId: string;
  readonly policy: PolicyOverrides;
  readonly from: number;
  readonly to: number;
  readonly reward: RewardName;
  readonly lists: {
    /** Given out on the track. */
    readonly served: number;
    readonly passedOver: PassedOver;
    /** Of the others: answered, at least one item of it. */
    readonly answered: number;
    /** Of these: selected again from the log, they are what was served. */
    readonly reproduced: number;
  };
  readonly evidence: Evidence;
  /** Of what the other policy would do, the share that the one that served never does at that place. */
  readonly unsupported: number;
  readonly estimates: Estimates;
  readonly warnings: readonly string[];
}
