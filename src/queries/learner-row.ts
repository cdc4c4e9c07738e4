import { type LearnerState, newLearnerState } from "../domain/learner/learner-state.ts";
import type { Clock } from "../ports/clock.ts";
import type { ModelReader } from "../ports/model-reader.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { decodeLearnerState } from "../projections/learner-scores.ts";
import { learnerKey, stateField } from "../projections/rows.ts";
import type { LiveViewReader } from "./live-view.ts";

export interface LearnerRowDeps {
  readonly readModels: ReadModels;
  readonly liveView: LiveViewReader;
  readonly model: ModelReader;
  readonly clock: Clock;
}

/** How fresh an answer about one learner is: said by every such answer. */
export interface LearnerFreshness {
  readonly learnerId: string;
  /** Of the learner's stream; 0 for a learner nothing is known of. */
  readonly revision: number;
  readonly position: number;
  /** Since the last event that is included was recorded; null where there is none. */
  readonly ageMs: number | null;
}

/** A learner's state as projected; the empty state of an unknown learner. Rejects with ReadModelsUnavailable. */
export async function readLearner(
  deps: LearnerRowDeps,
  learnerId: string,
): Promise<{ state: LearnerState; freshness: LearnerFreshness }> {
  const state = await readState(deps, learnerId);
  const { revision, position, recordedAt } = state;
  const ageMs = revision === 0 ? null : Math.max(0, deps.clock.now() - recordedAt);
  return { state, freshness: { learnerId, revision, position, ageMs } };
}

async function readState(deps: LearnerRowDeps, learnerId: string): Promise<LearnerState> {
  const view = await deps.liveView.current();
  if (view === null) return newLearnerState(deps.model.model);
  const key = learnerKey(view.namespace, learnerId);
  const bytes = await deps.readModels.get(key, stateField);
  const { model } = deps.model;
  return (bytes === null ? null : decodeLearnerState(bytes, model)) ?? newLearnerState(model);
}
