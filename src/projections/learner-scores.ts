import type { LearnerState } from "../domain/learner/learner-state.ts";
import { isLearnerStateJson, learnerStateFromJson, learnerStateToJson } from "../domain/learner/learner-state-json.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { fromBytes, toBytes } from "./row-json.ts";

/** learner-scores: the whole state of a learner, from which `/scores`, `/reviews` and lists on demand are answered. */
export function encodeLearnerState(state: LearnerState, model: LearnerModel): Buffer {
  return toBytes(learnerStateToJson(state, model));
}

/** null for a state of another model or an older format: a rebuild will replace it. Throws on damage. */
export function decodeLearnerState(bytes: Buffer, model: LearnerModel): LearnerState | null {
  const json = fromBytes(bytes);
  return isLearnerStateJson(json, model) ? learnerStateFromJson(json, model) : null;
}
