import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import type { Blobs } from "../../ports/blobs.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EventStore } from "../../ports/event-store.ts";
import type { Feed } from "../../ports/feed.ts";
import type { Log } from "../../ports/log.ts";
import { policyEvaluationKind } from "../../queries/evaluate-policy/policy-evaluation-kind.ts";
import { experimentKind } from "../../queries/experiments/experiment-kind.ts";
import { exportKind } from "../../queries/export/export-kind.ts";
import type { Serving } from "../../queries/export/read-model-rows.ts";
import type { ReplayKind } from "../../queries/replays/replay-kind.ts";
import { reportKind } from "../../queries/reports/report-kind.ts";
import { countersKind } from "../../queries/time-travel/counters-kind.ts";
import { type WhatIfWorkers, whatIfKind } from "../../queries/what-if/what-if.ts";

/** What kinds of replays stand on. */
export interface ReplayDeps {
  /** The log as analysts read it: a replica may answer. */
  readonly feed: Feed;
  readonly eventStore: Pick<EventStore, "readStream">;
  readonly blobs: Blobs;
  readonly model: LearnerModel;
  readonly clock: Clock;
  readonly log: Log;
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
