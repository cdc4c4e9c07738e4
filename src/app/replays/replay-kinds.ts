import { policyEvaluationKind } from "../../queries/evaluate-policy/policy-evaluation-kind.ts";
import { experimentKind } from "../../queries/experiments/experiment-kind.ts";
import { exportKind } from "../../queries/export/export-kind.ts";
import type { Serving } from "../../queries/export/read-model-rows.ts";
import type { ReplayKind } from "../../queries/replays/replay-kind.ts";
import { reportKind } from "../../queries/reports/report-kind.ts";
import { type CountersKindDeps, countersKind } from "../../queries/time-travel/counters-kind.ts";
import { type WhatIfWorkers, whatIfKind } from "../../queries/what-if/what-if.ts";

/** What kinds of replays stand on; the log as analysts read it: a replica may answer. */
export interface ReplayDeps extends CountersKindDeps {
  /** What queries read, caught up with the log; opened when it is asked for first. */
  serving(): Promise<Serving>;
  /** Of the pseudonyms of exports: the same for all of a deployment. */
  pseudonymKey(): Promise<string>;
  /** Where what-ifs are worked on. */
  readonly whatIf: WhatIfWorkers;
}

/** Every kind of replay there is: a new one is a line here. */
export const replayKinds = (deps: ReplayDeps): readonly ReplayKind<unknown>[] => [
  exportKind(deps) as ReplayKind<unknown>,
  reportKind(deps) as ReplayKind<unknown>,
  countersKind(deps) as ReplayKind<unknown>,
  policyEvaluationKind(deps) as ReplayKind<unknown>,
  experimentKind(deps) as ReplayKind<unknown>,
  whatIfKind({ ...deps, workers: deps.whatIf }) as ReplayKind<unknown>,
];
