import type { BankItem } from "../../domain/item-selection/selection.ts";
import { type LearnerState, masteryOf } from "../../domain/learner/learner-state.ts";
import { newMastery, observeMastery } from "../../domain/learner-model/mastery.ts";

export const rewardNames = ["success", "learning"] as const;
export type RewardName = (typeof rewardNames)[number];

export interface Reward {
  readonly title: string;
  /** What an answer was worth, to the learner as they stood when the list was made. `p`: predicted success. */
  of(state: LearnerState, item: BankItem, p: number, correct: boolean): number;
}

/** The same before the answer is known, with what the model holds for likely. */
export const expectedReward = (reward: Reward, state: LearnerState, item: BankItem, p: number): number =>
  p * reward.of(state, item, p, true) + (1 - p) * reward.of(state, item, p, false);

export const rewards: Readonly<Record<RewardName, Reward>> = {
  success: { title: "right answers", of: (_state, _item, _p, correct) => (correct ? 1 : 0) },
  /**
   * How much the answer raises the estimate that the item's skills are mastered (Bayesian knowledge tracing): what was
   * mastered before, and what was too hard, raise it little. An estimate of the learner, not of the truth.
   */
  learning: {
    title: "growth of estimated mastery",
    of(state, { skillIds }, p, correct) {
      if (skillIds.length === 0) return 0;
      let growth = 0;
      for (const skillId of skillIds) {
        const before = masteryOf(state, skillId) ?? newMastery();
        growth += observeMastery(before, { correct, p }).p - before.p;
      }
      return growth / skillIds.length;
    },
  },
};
