import type { LearnerState } from "../domain/learner/learner-state.ts";
import { learnerStateFromBytes, learnerStateToBytes } from "../domain/learner/learner-state-bytes.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { asBuffer } from "./row-json.ts";

/** learner-scores: the whole state of a learner, from which `/scores`, `/reviews` and lists on demand are answered. */
export function encodeLearnerState(state: LearnerState, model: LearnerModel): Buffer {
  return asBuffer(learnerStateToBytes(state, model));
}

/** null for a state of another model or an older format: a rebuild will replace it. Throws on damage. */
export function decodeLearnerState(bytes: Buffer, model: LearnerModel): LearnerState | null {
  return learnerStateFromBytes(bytes, model);
}
