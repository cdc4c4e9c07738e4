import { selectForLearner } from "../../../domain/learner/select-for-learner.ts";
import type { StartPolicy } from "./policy.ts";

/** The policy under test: what a learner is served, first of the list, by the code that serves. */
export const proximal: StartPolicy = ({ bank, model, weights }) => ({
  choose({ learnerId, state, now }) {
    const { items } = selectForLearner({
      learnerId,
      state,
      bank,
      model,
      weights: weights(),
      sessionType: "practice",
      now,
      size: 1,
    });
    const [first] = items;
    const item = first === undefined ? undefined : bank.items.get(first.itemId);
    return item === undefined ? null : { item, review: first?.reason.code === "due_review" };
  },
});
