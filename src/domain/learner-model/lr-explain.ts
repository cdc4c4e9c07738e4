import { Explainer, type Explanation, informationOfAnswer, varianceAfter } from "./explanation.ts";
import { abilityUnit, recentUnit } from "./fixed-point.ts";
import type { Question } from "./learner-model.ts";
import { type Features, featuresOf, log1p, logit, unseen } from "./lr-features.ts";
import { type LocalSkill, type LrLocal, type LrWeights, ofSkill, shared } from "./lr-types.ts";
import { firstSquares, type Numbers, shareOfPrior } from "./weight.ts";

export function explain(weights: LrWeights, local: LrLocal, question: Question): Explanation {
  const features = featuresOf(weights, local, question, unseen);
  const explainer = new Explainer();
  addTerms(explainer, weights, local, question, features);
  return explainer.explanation(logit(weights, local.ability, question, features));
}

/** The terms of lr-features.ts one by one. */
export function addTerms(
  explainer: Explainer,
  weights: LrWeights,
  local: LrLocal,
  { itemId, difficulty }: Question,
  features: Features,
): void {
  const { items } = weights;
  const squares = features.itemRow < 0 ? firstSquares : (items.numbers[features.itemRow + 1] as number);
  const addShared = (feature: string, value: number, at: number): void =>
    addWeight(explainer, feature, value, weights.shared, at);
  addShared("bias", 1, shared.bias);
  addWeight(explainer, `item ${itemId}`, 1, items.numbers, features.itemRow);
  if (difficulty !== undefined) explainer.add("the author's difficulty", -difficulty, shareOfPrior(squares), 0);
  explainer.add("ability", 1, local.ability * abilityUnit, varianceAfter(informationOfAnswer * local.attempts));
  addShared("wins, item", features.itemWins, shared.itemWins);
  addShared("attempts, item", features.itemAttempts, shared.itemAttempts);
  addShared("wins", features.wins, shared.wins);
  addShared("attempts", features.attempts, shared.attempts);
  addShared("recent", features.recent, shared.recent);
  addShared("same item as the last", features.sameItem ? 1 : 0, shared.sameItem);
  addShared("shares a skill with the last", features.sharedSkill ? 1 : 0, shared.sharedSkill);
  for (const [k, own] of features.skills.entries()) addSkill(explainer, weights, features, k, own);
}

function addSkill(explainer: Explainer, weights: LrWeights, features: Features, k: number, own: LocalSkill): void {
  const id = features.skillIds[k] ?? "";
  const row = features.skillRows[k] ?? -1;
  const share = 1 / features.skillIds.length;
  const slopes = [
    ["wins", log1p(own.wins), shared.skillWins, ofSkill.wins],
    ["attempts", log1p(own.attempts), shared.skillAttempts, ofSkill.attempts],
    ["recent", share * own.recent * recentUnit, shared.skillRecent, ofSkill.recent],
  ] as const;
  const addOwn = (feature: string, value: number, at: number): void =>
    addWeight(explainer, feature, value, weights.skills.numbers, row < 0 ? -1 : row + at);
  addOwn(`skill ${id}`, share, ofSkill.level);
  const variance = varianceAfter(informationOfAnswer * own.attempts);
  explainer.add(`ability, skill ${id}`, share, own.ability * abilityUnit, variance);
  for (const [name, value, ofAll, ofOne] of slopes) {
    addWeight(explainer, `${name}, any skill (${id})`, value, weights.shared, ofAll);
    addOwn(`${name}, skill ${id}`, value, ofOne);
  }
}

/**
 * Squares beyond the first are the information of the answers: the square of correct - p is p (1 - p) on average. `at` -1
 * stands for a weight that was never trained.
 */
export function addWeight(explainer: Explainer, feature: string, value: number, numbers: Numbers, at: number): void {
  const [weight, squares] = at < 0 ? [0, firstSquares] : [numbers[at] as number, numbers[at + 1] as number];
  explainer.add(feature, value, weight, varianceAfter(Math.max(0, squares - firstSquares)));
}
