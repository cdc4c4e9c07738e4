import type { LoggedAnswer } from "../../domain/learner-model/answer-of.ts";
import { getOrAdd } from "../../domain/learner-model/get-or-add.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { isPublicationDue } from "../../domain/learner-model/publication.ts";

/** Takes the answers in order; gives the prediction made before each, null for one that is not to be measured. */
export type Fold = (answer: LoggedAnswer) => number | null;

/** Predict, then learn, answer by answer: what the sequential owner of the weights would have said. */
export function prequential(model: LearnerModel): Fold {
  const weights = model.newWeights();
  const locals = new Map<string, unknown>();
  return (answer) => model.learn(weights, getOrAdd(locals, answer.learnerId, model.newLocal), answer);
}

/**
 * Learns from the training learners; then, for the others, keeps the shared weights fixed and folds each learner's own
 * state only. The training answers must come first.
 */
export function frozen(model: LearnerModel, isTraining: (answer: LoggedAnswer) => boolean): Fold {
  const weights = model.newWeights();
  const locals = new Map<string, unknown>();
  return (answer) => {
    const local = getOrAdd(locals, answer.learnerId, model.newLocal);
    if (!isTraining(answer)) return model.observe(weights, local, answer);
    model.learn(weights, local, answer);
    return null;
  };
}

/**
 * What learners are served: the owner learns from each answer, and readers predict and fold with the weights it
 * published last. `everyAnswers` publishes each so many answers instead of by the rule of the trainer.
 */
export function published(model: LearnerModel, everyAnswers: number | null = null): Fold {
  const weights = model.newWeights();
  const ownerLocals = new Map<string, unknown>();
  const readerLocals = new Map<string, unknown>();
  let snapshot = model.newWeights();
  let answers = 0;
  let publishedAnswers = 0;
  const isDue = (): boolean =>
    everyAnswers === null
      ? isPublicationDue(answers, publishedAnswers)
      : answers - publishedAnswers >= Math.max(1, everyAnswers);
  return (answer) => {
    const p = model.observe(snapshot, getOrAdd(readerLocals, answer.learnerId, model.newLocal), answer);
    model.learn(weights, getOrAdd(ownerLocals, answer.learnerId, model.newLocal), answer);
    answers += 1;
    if (isDue()) {
      snapshot = model.decodeWeights(model.encodePublished(weights));
      publishedAnswers = answers;
    }
    return p;
  };
}
