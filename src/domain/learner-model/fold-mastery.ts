import { type Guessing, guessOf, observeGuess } from "./guessing.ts";
import type { LearnerIds } from "./ids.ts";
import type { LearnerModel } from "./learner-model.ts";
import { type Mastery, newMastery, observeMastery } from "./mastery.ts";

/** What is known of one learner's hold of all their skills. */
export interface MasteryState {
  readonly ids: LearnerIds;
  /** The model's own state of this learner. */
  readonly local: unknown;
  /** By the skill's number. */
  readonly mastery: Mastery[];
  readonly guessing: Guessing;
}

export interface MasteryAnswer {
  readonly correct: boolean;
  /** A hint was asked for. */
  readonly hinted: boolean;
  /** Probability 0..1 that was predicted for a correct answer. */
  readonly p: number;
  /** The author's, logits; undefined where there is none: average. */
  readonly difficulty: number | undefined;
  /** When it was given, milliseconds since 1970; null or 0 where that is not known. */
  readonly at: number | null;
  /** The policy's: at or below it an item counts as hard. */
  readonly pMax: number;
}

/** Folds one answer to a question that needs these skills into the state, in place; after the model has taken it. */
export function foldMastery(
  state: MasteryState,
  skills: readonly number[],
  { correct, hinted, p, difficulty = 0, at, pMax }: MasteryAnswer,
  { model, weights }: { readonly model: LearnerModel; readonly weights: unknown },
): void {
  // Who asks for a hint shows that they need it: for mastery that is no right answer.
  const alone = correct && !hinted;
  const guess = guessOf(state.guessing);
  for (const skill of skills) {
    const before = state.mastery[skill] ?? newMastery();
    observeGuess(state.guessing, before.traced, alone);
    const hard = alone && p <= pMax;
    // Of no known item: an average one of the skill.
    const ofSkill = { itemId: "", skillIds: [state.ids.skills.list[skill] as string], at };
    const expected = model.predict(weights, state.local, ofSkill);
    state.mastery[skill] = observeMastery(before, { correct: alone, p, difficulty, guess, hard, expected });
  }
}
