import type { InteractionRecorded } from "../../domain/events.ts";
import { answerOf } from "../../domain/learner-model/answer-of.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { isPublicationDue } from "../../domain/learner-model/publication.ts";

/** The weights as the one trainer of an installation would have published them: the same model, the same rule. */
export interface OnlineTrainer {
  /** Published last; they do not change any more. */
  weights(): unknown;
  learn(interaction: InteractionRecorded): void;
}

export function createOnlineTrainer(model: LearnerModel): OnlineTrainer {
  const weights = model.newWeights();
  const locals = new Map<string, unknown>();
  let published = model.newWeights();
  let publishedAnswers = 0;
  let answers = 0;
  return {
    weights: () => published,
    learn(interaction) {
      const answer = answerOf(interaction);
      if (answer === null) return;
      const local = locals.get(interaction.learnerId) ?? model.newLocal();
      locals.set(interaction.learnerId, local);
      model.learn(weights, local, answer);
      answers += 1;
      if (!isPublicationDue(answers, publishedAnswers)) return;
      published = model.decodeWeights(model.encodeWeights(weights));
      publishedAnswers = answers;
    },
  };
}
