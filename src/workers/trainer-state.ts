import { decodeEvent } from "../domain/decode-event.ts";
import { answerOf } from "../domain/learner-model/answer-of.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { measure } from "../domain/learner-model/metrics.ts";
import type { StoredEvent } from "../domain/stored-event.ts";

/** How many of the last answers the published metrics are measured on. */
export const metricsWindow = 10_000;

/** Everything the trainer knows: a pure function of the log up to `position`. Changed in place. */
export interface TrainerState {
  readonly weights: unknown;
  /** The model's local state of each learner, in the order in which they first answered. */
  readonly locals: Map<string, unknown>;
  /** The last predictions made before their outcome was known; answer k (from 0) stands at k modulo the window. */
  readonly predictions: Float64Array;
  readonly outcomes: Uint8Array;
  /** Everything up to here is folded in. */
  position: number;
  /** Position of the last answer learnt from. */
  trainedTo: number;
  /** Learnt from. */
  answers: number;
  /** Events that could not be read or learnt from. */
  skipped: number;
}

export function newTrainerState(model: LearnerModel): TrainerState {
  return {
    weights: model.newWeights(),
    locals: new Map(),
    predictions: new Float64Array(metricsWindow),
    outcomes: new Uint8Array(metricsWindow),
    position: 0,
    trainedTo: 0,
    answers: 0,
    skipped: 0,
  };
}

/**
 * Learns from one event of the log; one at or before `state.position` is learnt already and changes nothing.
 * An event that cannot be read, or that the model cannot take, is counted and reported, and training goes on.
 */
export function train(
  model: LearnerModel,
  state: TrainerState,
  stored: StoredEvent,
  onSkipped: (error: unknown) => void,
): void {
  if (stored.position <= state.position) return;
  state.position = stored.position;
  let learnerId: string | null = null;
  try {
    const event = decodeEvent(stored);
    const answer = event.type === "InteractionRecorded" ? answerOf(event.data) : null;
    if (event.type !== "InteractionRecorded" || answer === null) return;
    learnerId = event.data.learnerId;
    const local = state.locals.get(learnerId) ?? model.newLocal();
    const p = model.learn(state.weights, local, answer);
    state.locals.set(learnerId, local);
    const place = state.answers % state.predictions.length;
    state.predictions[place] = p;
    state.outcomes[place] = answer.correct ? 1 : 0;
    state.answers += 1;
    state.trainedTo = stored.position;
  } catch (error) {
    // A model that threw may have left the learner's state half changed: that learner starts anew.
    if (learnerId !== null) state.locals.delete(learnerId);
    state.skipped += 1;
    onSkipped(error);
  }
}

/** Prequential metrics of the last answers, at most {@link metricsWindow} of them (`recentAnswers`). */
export function recentMetrics(state: TrainerState): Record<string, number> {
  const recentAnswers = Math.min(state.answers, state.predictions.length);
  if (recentAnswers === 0) return { recentAnswers };
  const metrics = measure(state.predictions.subarray(0, recentAnswers), state.outcomes.subarray(0, recentAnswers));
  return {
    recentAnswers,
    ...(metrics.auc === null ? {} : { recentAuc: metrics.auc }),
    recentAccuracy: metrics.accuracy,
    recentLogLoss: metrics.logLoss,
    recentEce: metrics.ece,
  };
}
