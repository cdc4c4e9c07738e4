import { type Guessing, guessOf, observeGuess } from "./guessing.ts";
import { type Mastery, newMastery, observeMastery } from "./mastery.ts";

/** What is known of one learner's hold of all their skills. */
export interface MasteryState {
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
  /** The author's, logits; undefined where there is none: average. Not the weights', so mastery follows from the learner's events alone. */
  readonly difficulty: number | undefined;
  /** The policy's: at or below it an item counts as hard. */
  readonly pMax: number;
}

/** Folds one answer to a question that needs these skills into the state, in place. */
export function foldMastery(state: MasteryState, skills: readonly number[], answer: MasteryAnswer): void {
  const { correct, hinted, p, difficulty = 0, pMax } = answer;
  // Who asks for a hint shows that they need it: for mastery that is no right answer.
  const alone = correct && !hinted;
  const guess = guessOf(state.guessing);
  for (const skill of skills) {
    const before = state.mastery[skill] ?? newMastery();
    observeGuess(state.guessing, before.p, alone);
    state.mastery[skill] = observeMastery(before, { correct: alone, p, difficulty, guess, hard: alone && p <= pMax });
  }
}
