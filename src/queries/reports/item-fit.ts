/** What a model's predictions and the outcomes of one item add up to. */
export interface FitSums {
  /** Answers. */
  n: number;
  /** Sum of p. */
  expected: number;
  /** Right answers. */
  correct: number;
  /** Sums of the variance p (1 - p), of squared residuals, and of squared residuals over their variance. */
  variance: number;
  squares: number;
  standardized: number;
  /** Sums of fourth moments C: of C / variance^2, and of C - variance^2. */
  kurtosis: number;
  spread: number;
}

export const newFitSums = (): FitSums => ({
  n: 0,
  expected: 0,
  correct: 0,
  variance: 0,
  squares: 0,
  standardized: 0,
  kurtosis: 0,
  spread: 0,
});

/** One surprise at p = .001 would outweigh a thousand answers. */
const nearest = 0.02;

export function addFit(sums: FitSums, prediction: number, correct: boolean): void {
  const p = Math.min(1 - nearest, Math.max(nearest, prediction));
  const variance = p * (1 - p);
  const square = (correct ? 1 - p : p) ** 2;
  const fourth = variance * (1 - 3 * variance);
  sums.n += 1;
  sums.expected += p;
  sums.correct += correct ? 1 : 0;
  sums.variance += variance;
  sums.squares += square;
  sums.standardized += square / variance;
  sums.kurtosis += fourth / variance ** 2;
  sums.spread += fourth - variance ** 2;
}

export interface ItemFit {
  /** Mean squares, 1 as expected; above it, answers are less predictable than the model holds; outfit hears surprises most. */
  readonly infit: number;
  readonly outfit: number;
  /** How far from 1 in standard deviations (Wilson, Hilferty 1931). */
  readonly infitZ: number;
  readonly outfitZ: number;
  /** Share correct less the share predicted, and the same in standard deviations. */
  readonly bias: number;
  readonly biasZ: number;
}

/**
 * Infit and outfit (Wright, Masters 1982, "Rating Scale Analysis", chapter 5), of the learner model's predictions made before each
 * answer instead of a fixed level: a learner who improves is no misfit. null for no answers.
 */
export function itemFit(sums: FitSums): ItemFit | null {
  const { n, variance, squares, standardized, kurtosis, spread } = sums;
  if (n === 0) return null;
  const infit = squares / variance;
  const outfit = standardized / n;
  return {
    infit,
    outfit,
    infitZ: cubeRoot(infit, Math.sqrt(Math.max(0, spread)) / variance),
    outfitZ: cubeRoot(outfit, Math.sqrt(Math.max(0, kurtosis / n ** 2 - 1 / n))),
    bias: (sums.correct - sums.expected) / n,
    biasZ: (sums.correct - sums.expected) / Math.sqrt(variance),
  };
}

const cubeRoot = (meanSquare: number, sd: number): number =>
  sd === 0 ? 0 : (Math.cbrt(meanSquare) - 1) * (3 / sd) + sd / 3;
