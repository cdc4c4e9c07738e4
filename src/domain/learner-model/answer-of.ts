import type { InteractionRecorded } from "../events.ts";
import type { Answer } from "./learner-model.ts";

/** An answer of some learner, as a log of answers has it. */
export interface LoggedAnswer extends Answer {
  readonly learnerId: string;
  /** Which learners a frozen evaluation trains on; null where the log does not say. */
  readonly split: "train" | "test" | null;
}

/**
 * What a model learns from an interaction; null for one that is not an answer. An answer that says its credit only is
 * correct from one half on.
 */
export function answerOf(interaction: InteractionRecorded): Answer | null {
  if (interaction.kind !== "answer") return null;
  const correct = interaction.correct ?? (interaction.score === undefined ? null : interaction.score >= 0.5);
  if (correct === null) return null;
  const { itemId, skillIds, difficulty, occurredAt } = interaction;
  return { itemId, skillIds, difficulty, correct, at: Date.parse(occurredAt) };
}
