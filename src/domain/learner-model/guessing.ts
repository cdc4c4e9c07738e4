import { masteryDefaults } from "./mastery.ts";

/**
 * How often one learner is right where they are held not to know: P(G) differs between learners and courses, and one who
 * half knows gets many right. Whole numbers, in thousandths of an answer.
 */
export interface Guessing {
  /** Right answers, less those that knowing accounts for. */
  right: number;
  /** Answers, each counted by the probability that the skill was not mastered. */
  answers: number;
}

export const newGuessing = (): Guessing => ({ right: 0, answers: 0 });

/** Only answers to skills held for less mastered than this tell anything of guessing. */
const countedBelow = 0.4;
/** Worth of the default, in answers. */
const defaultWorth = 10;
/** Who is right more often than this without mastery is about to have it. */
const guessMax = 0.6;
const unit = 1000;

/** P(G) of the learner: the default at first, and never below it. */
export function guessOf({ right, answers }: Guessing): number {
  const { guess } = masteryDefaults;
  const own = (guess * defaultWorth + right / unit) / (defaultWorth + answers / unit);
  return Math.min(guessMax, Math.max(guess, own));
}

/** Folds in one answer to a skill that was mastered with probability `mastery` before it, in place. */
export function observeGuess(guessing: Guessing, mastery: number, correct: boolean): void {
  if (mastery >= countedBelow) return;
  guessing.right += Math.round(unit * (Number(correct) - mastery * (1 - masteryDefaults.slip)));
  guessing.answers += Math.round(unit * (1 - mastery));
}
