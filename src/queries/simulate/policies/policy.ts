import type { BankItem, ItemBank } from "../../../domain/item-selection/selection.ts";
import type { LearnerState } from "../../../domain/learner/learner-state.ts";
import type { LearnerModel } from "../../../domain/learner-model/learner-model.ts";
import type { Random } from "../../../domain/random.ts";

/** One class and its course, as a policy sees it: nothing of what is hidden. */
export interface ClassView {
  readonly bank: ItemBank;
  readonly model: LearnerModel;
  /** Published last. */
  weights(): unknown;
  readonly random: Random;
  readonly learners: number;
}

/** One learner who asks what to do. */
export interface LearnerView {
  readonly learnerId: string;
  /** Place in the class, from 0. */
  readonly index: number;
  readonly state: LearnerState;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Chosen {
  readonly item: BankItem;
  /** Given as a review that is due. */
  readonly review: boolean;
}

/** A policy at work on one class. */
export interface RunningPolicy {
  /** Null where there is nothing to do. */
  choose(learner: LearnerView): Chosen | null;
  /** What came of it; null for a skip. */
  observe?(learner: LearnerView, item: BankItem, correct: boolean | null): void;
}

export type StartPolicy = (view: ClassView) => RunningPolicy;
