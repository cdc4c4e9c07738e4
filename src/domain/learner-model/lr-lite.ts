import { attemptsOf, noCounts } from "./counts.ts";
import { newLearnerIds } from "./ids.ts";
import type { Answer, LearnerModel } from "./learner-model.ts";
import { explain } from "./lr-explain.ts";
import { difficultyOf, featuresOf, logit, unseen } from "./lr-features.ts";
import { localFromJson, localToJson } from "./lr-json.ts";
import { remember, train } from "./lr-learning.ts";
import { readLocal, writeLocal } from "./lr-local-bytes.ts";
import { prepareLite } from "./lr-prepared.ts";
import {
  itemWidth,
  type LrLocal,
  type LrRates,
  type LrWeights,
  newLocalSkill,
  newLrLocal,
  sharedWidth,
  skillWidth,
} from "./lr-types.ts";
import { decodeLrLite, encodeLrLite, lrLiteName } from "./lr-weights-bytes.ts";
import { sigmoid } from "./sigmoid.ts";
import { newWeights, WeightTable } from "./weight.ts";

/** Tuned on one public log, see docs/learner-model.md. */
const rates: LrRates = {
  item: 0.42,
  skill: 0.22,
  shared: 0.08,
  skillSlope: 0.016,
  ability: (answers) => 0.08 / (1 + 0.017 * answers),
  skillAbility: (answers) => 0.07 / (1 + 0.19 * answers),
};

function fold(weights: LrWeights, local: LrLocal, answer: Answer, training: boolean): number {
  const features = featuresOf(weights, local, answer, unseen);
  const p = sigmoid(logit(weights, local.ability, answer, features));
  const error = (answer.correct ? 1 : 0) - p;
  if (training) train(weights, answer.itemId, features, error, rates);
  remember(local, answer, features.skillIds, error, rates, newLocalSkill);
  return p;
}

/**
 * LR-lite: logistic regression on counts and recent outcomes, trained online; the online form of "Best-LR" (Gervet,
 * Koedinger, Schneider, Mitchell 2020) with PFA's counts (Pavlik 2009) and Elo-like abilities (Pelanek 2016).
 *
 *   p = sigmoid( bias + item_i + mean_s skill_s + ability_u + mean_s ability_us
 *       + sum_s (wins_s + wins) log1p(wins_us) + (attempts_s + attempts) log1p(attempts_us)
 *       + the same two counts, shared weights, for the item and for all answers of u
 *       + recent * recent_u + mean_s (recent + recent_s) * recent_us
 *       + same item as the last answer + shares a skill with the last answer )
 */
export const lrLite: LearnerModel<LrWeights, LrLocal> = {
  name: lrLiteName,
  newWeights: () => ({
    shared: newWeights(sharedWidth),
    items: new WeightTable(itemWidth, new Float64Array()),
    skills: new WeightTable(skillWidth, new Float64Array()),
  }),
  newLocal: (ids = newLearnerIds()) => newLrLocal(ids),
  predict: (weights, local, question) =>
    sigmoid(logit(weights, local.ability, question, featuresOf(weights, local, question, unseen))),
  explain,
  prepare: prepareLite,
  observe: (weights, local, answer) => fold(weights, local, answer, false),
  learn: (weights, local, answer) => fold(weights, local, answer, true),
  difficulty: difficultyOf,
  encodeWeights: encodeLrLite,
  encodePublished: encodeLrLite,
  decodeWeights: decodeLrLite,
  localToJson,
  localFromJson,
  writeLocal,
  readLocal,
  practiceOf: (local, skill) => local.skills[skill],
  attemptsAt: (local, item) => attemptsOf(local.items[item] ?? noCounts),
};
