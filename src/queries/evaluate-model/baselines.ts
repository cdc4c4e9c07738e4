import type { LoggedAnswer } from "../../domain/learner-model/answer-of.ts";

/** The least that any model must beat: a share of right answers so far. */
export interface Baseline {
  readonly name: string;
  predict(answer: LoggedAnswer): number;
  learn(answer: LoggedAnswer): void;
}

interface Count {
  right: number;
  answers: number;
}

/** So many answers at the mean stand beside those of an item: one that few answered is not taken at its word. */
const answersOfPrior = 2;

/** The share of all answers that were right, and the share of the answers to the item. */
export function newBaselines(): readonly Baseline[] {
  const all: Count = { right: 1, answers: 2 };
  const items = new Map<string, Count>();
  const mean = (): number => all.right / all.answers;
  return [
    {
      name: "global mean",
      predict: mean,
      learn: ({ correct }) => count(all, correct),
    },
    {
      name: "item mean",
      predict: ({ itemId }) => {
        const item = items.get(itemId);
        return item === undefined ? mean() : (item.right + answersOfPrior * mean()) / (item.answers + answersOfPrior);
      },
      learn: ({ itemId, correct }) => {
        const item = items.get(itemId) ?? { right: 0, answers: 0 };
        items.set(itemId, item);
        count(item, correct);
      },
    },
  ];
}

function count(of: Count, correct: boolean): void {
  of.answers += 1;
  if (correct) of.right += 1;
}
