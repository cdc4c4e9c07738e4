import { Explainer, type Explanation } from "./explanation.ts";
import { recentUnit } from "./fixed-point.ts";
import type { Question } from "./learner-model.ts";
import { addTerms, addWeight } from "./lr-explain.ts";
import { type Features, featuresOf, logit } from "./lr-features.ts";
import { type FullFeatures, fullFeaturesOf, fullLogit, unseenFull } from "./lr-full-features.ts";
import {
  type FullSkill,
  type LrFullLocal,
  type LrFullWeights,
  ofItem,
  repeatBucket,
  sharedFull,
  timeBucket,
} from "./lr-full-types.ts";
import { noOutcomes } from "./outcome-pattern.ts";
import { numbersOfWeight } from "./weight.ts";

/** The terms of lr-features.ts, then those of lr-full-features.ts, one by one. */
export function explain(weights: LrFullWeights, local: LrFullLocal, question: Question): Explanation {
  const features = featuresOf(weights, local, question, unseenFull);
  const full = fullFeaturesOf(local, question, features);
  const explainer = new Explainer();
  addTerms(explainer, weights, local, question, features);
  addLearner(explainer, weights, local);
  addItem(explainer, weights, question.itemId, features, full);
  for (const [k, id] of features.skillIds.entries()) addSkill(explainer, weights, id, k, features, full);
  return explainer.explanation(
    logit(weights, local.ability, question, features) + fullLogit(weights, local, features, full),
  );
}

function addLearner(explainer: Explainer, { shared }: LrFullWeights, { pattern, fast, slow }: LrFullLocal): void {
  addWeight(explainer, "outcomes", 1, shared, sharedFull.learnerPattern + numbersOfWeight * pattern);
  addWeight(explainer, "recent, fast", fast * recentUnit, shared, sharedFull.fast);
  addWeight(explainer, "recent, slow", slow * recentUnit, shared, sharedFull.slow);
}

function addItem(
  explainer: Explainer,
  { shared, items, pairs }: LrFullWeights,
  id: string,
  { itemRow, recent }: Features<FullSkill>,
  { itemPattern, itemAttempts, itemPair }: FullFeatures,
): void {
  addWeight(explainer, "outcomes, item", 1, shared, sharedFull.itemPattern + numbersOfWeight * itemPattern);
  const repeats = sharedFull.repeats + numbersOfWeight * repeatBucket(itemAttempts);
  addWeight(explainer, "repeats, item", 1, shared, repeats);
  const addOwn = (feature: string, value: number, at: number): void =>
    addWeight(explainer, feature, value, items.numbers, itemRow < 0 ? -1 : itemRow + at);
  addOwn(`recent, item ${id}`, recent, ofItem.recent);
  const answered = itemPattern !== noOutcomes;
  const right = (itemPattern & 1) === 1;
  addOwn(`last answer to item ${id} wrong`, answered && !right ? 1 : 0, ofItem.afterWrong);
  addOwn(`last answer to item ${id} right`, answered && right ? 1 : 0, ofItem.afterRight);
  if (itemPair >= 0) explainer.addSmall("item after the last item", 1, pairs, itemPair);
}

function addSkill(
  explainer: Explainer,
  { shared, pairs }: LrFullWeights,
  id: string,
  k: number,
  { skills }: Features<FullSkill>,
  { now, skillPairs, pairsOfSkill }: FullFeatures,
): void {
  const own = skills[k] ?? unseenFull;
  const share = 1 / skills.length;
  addWeight(
    explainer,
    `outcomes, any skill (${id})`,
    share,
    shared,
    sharedFull.skillPattern + numbersOfWeight * own.pattern,
  );
  addWeight(explainer, `recent, fast, any skill (${id})`, share * own.fast * recentUnit, shared, sharedFull.skillFast);
  addWeight(explainer, `recent, slow, any skill (${id})`, share * own.slow * recentUnit, shared, sharedFull.skillSlow);
  const bucket = timeBucket(now, own.at);
  const since = bucket < 0 ? -1 : sharedFull.sincePractice + numbersOfWeight * bucket;
  addWeight(explainer, `time since practice, any skill (${id})`, bucket < 0 ? 0 : share, shared, since);
  for (let pair = 0; pair < pairsOfSkill; pair++) {
    const slot = skillPairs[k * pairsOfSkill + pair] as number;
    explainer.addSmall(`skill ${id} after skill ${pair + 1} of the last item`, share / pairsOfSkill, pairs, slot);
  }
}
