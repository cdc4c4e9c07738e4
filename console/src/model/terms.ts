import type { ExplanationAnswer } from "../api/answers.ts";

type Prediction = ExplanationAnswer["items"][number]["prediction"];

/** The terms of a prediction that moved it most, and the rest as one. */
export function largestTerms(
  prediction: Prediction,
  most: number,
): { name: string; value: number | null; logits: number }[] {
  const sorted = prediction.terms.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const rest = sorted.slice(most).reduce((sum, { contribution }) => sum + contribution, 0);
  const shown = sorted
    .slice(0, most)
    .map(({ feature, value, contribution }) => ({ name: feature, value, logits: contribution }));
  return sorted.length <= most
    ? shown
    : [...shown, { name: `${sorted.length - most} smaller ones`, value: null, logits: rest }];
}
