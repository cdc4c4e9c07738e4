import { Explainer, type Explanation, informationOfAnswer, varianceAfter } from "./explanation.ts";
import { abilityUnit, recentUnit } from "./fixed-point.ts";
import type { Question } from "./learner-model.ts";
import { type Features, featuresOf, log1p, logit } from "./lr-lite-features.ts";
import type { LrLiteLocal, LrLiteWeights } from "./lr-lite-types.ts";
import { firstSquares, newWeight, shareOfPrior, type Weight } from "./weight.ts";

/** The terms of lr-lite-features.ts one by one. */
export function explain(weights: LrLiteWeights, local: LrLiteLocal, question: Question): Explanation {
  const features = featuresOf(local, question);
  const explainer = new Explainer();
  addShared(explainer, weights, local, question, features);
  for (const [k, id] of features.skillIds.entries()) addSkill(explainer, weights, features, k, id);
  return explainer.explanation(logit(weights, local.ability, question, features));
}

function addShared(
  explainer: Explainer,
  { shared, items }: LrLiteWeights,
  local: LrLiteLocal,
  { itemId, difficulty }: Question,
  features: Features,
): void {
  const item = items.get(itemId) ?? newWeight();
  addWeight(explainer, "bias", 1, shared.bias);
  addWeight(explainer, `item ${itemId}`, 1, item);
  if (difficulty !== undefined) explainer.add("the author's difficulty", -difficulty, shareOfPrior(item), 0);
  explainer.add("ability", 1, local.ability * abilityUnit, varianceAfter(informationOfAnswer * local.attempts));
  addWeight(explainer, "wins, item", features.itemWins, shared.itemWins);
  addWeight(explainer, "attempts, item", features.itemAttempts, shared.itemAttempts);
  addWeight(explainer, "wins", features.wins, shared.wins);
  addWeight(explainer, "attempts", features.attempts, shared.attempts);
  addWeight(explainer, "recent", features.recent, shared.recent);
  addWeight(explainer, "same item as the last", features.sameItem ? 1 : 0, shared.sameItem);
  addWeight(explainer, "shares a skill with the last", features.sharedSkill ? 1 : 0, shared.sharedSkill);
}

function addSkill(
  explainer: Explainer,
  { shared, skills }: LrLiteWeights,
  features: Features,
  k: number,
  id: string,
): void {
  const own = features.skills[k];
  if (own === undefined) return;
  const share = 1 / features.skillIds.length;
  const skill = skills.get(id);
  const variance = varianceAfter(informationOfAnswer * own.attempts);
  const slopes = [
    ["wins", log1p(own.wins), shared.skillWins, skill?.wins],
    ["attempts", log1p(own.attempts), shared.skillAttempts, skill?.attempts],
    ["recent", share * own.recent * recentUnit, shared.skillRecent, skill?.recent],
  ] as const;
  addWeight(explainer, `skill ${id}`, share, skill?.level ?? newWeight());
  explainer.add(`ability, skill ${id}`, share, own.ability * abilityUnit, variance);
  for (const [name, value, ofAll, ofSkill] of slopes) {
    addWeight(explainer, `${name}, any skill (${id})`, value, ofAll);
    addWeight(explainer, `${name}, skill ${id}`, value, ofSkill ?? newWeight());
  }
}

/** Squares beyond the first are the information of the answers: the square of correct - p is p (1 - p) on average. */
function addWeight(explainer: Explainer, feature: string, value: number, weight: Weight): void {
  explainer.add(feature, value, weight.value, varianceAfter(weight.squares - firstSquares));
}
