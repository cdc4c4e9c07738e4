/** One weight shared by all learners, trained by Adagrad (Duchi, Hazan, Singer 2011): it moves less the more it has moved. */
export interface Weight {
  value: number;
  /** Sum of the squared gradients so far, from {@link firstSquares}. */
  squares: number;
}

/** Keeps the first steps from being as large as the rate itself. */
export const firstSquares = 0.3;

export const newWeight = (): Weight => ({ value: 0, squares: firstSquares });

/** One step up the log likelihood. `gradient` is (correct - p) times the feature the weight multiplies. */
export function step(weight: Weight, rate: number, gradient: number): void {
  weight.squares += gradient * gradient;
  weight.value += (rate * gradient) / Math.sqrt(weight.squares);
}

/** The share, 1 falling to 0, that a guess made before any answer still has beside what was learned since. */
export const shareOfPrior = (weight: Weight): number => firstSquares / weight.squares;
