import { attemptsOf, noCounts } from "./counts.ts";
import { moveRecent } from "./fixed-point.ts";
import { newLearnerIds } from "./ids.ts";
import type { Answer, LearnerModel, Question } from "./learner-model.ts";
import { difficultyOf, featuresOf, logit } from "./lr-features.ts";
import { explain } from "./lr-full-explain.ts";
import { fullFeaturesOf, fullLogit, trainFull, unseenFull } from "./lr-full-features.ts";
import { localFromJson, localToJson } from "./lr-full-json.ts";
import { readLocal, writeLocal } from "./lr-full-local-bytes.ts";
import { prepare } from "./lr-full-prepared.ts";
import {
  decays,
  itemFullWidth,
  type LrFullLocal,
  type LrFullRates,
  type LrFullWeights,
  lengths,
  lrFullName,
  newFullSkill,
  newLrFullLocal,
  secondsOf,
  sharedFullWidth,
} from "./lr-full-types.ts";
import { decodeLrFull, encodeLrFull } from "./lr-full-weights-bytes.ts";
import { remember, train } from "./lr-learning.ts";
import { skillWidth } from "./lr-types.ts";
import { addOutcome, lastOutcomes, noOutcomes } from "./outcome-pattern.ts";
import { PairWeights } from "./pair-slots.ts";
import { sigmoid } from "./sigmoid.ts";
import { newWeights, WeightTable } from "./weight.ts";

/** Tuned on one public log and on simulated ones, see docs/learner-model.md. */
const rates: LrFullRates = {
  item: 0.26,
  skill: 0.14,
  shared: 0.05,
  skillSlope: 0.008,
  pattern: 0.02,
  itemOutcome: 0.02,
  itemRecent: 0.01,
  pair: 0.01,
  ability: (answers) => 0.18 / (1 + 0.04 * answers),
  skillAbility: (answers) => 0.12 / (1 + 0.17 * answers),
};

function fold(weights: LrFullWeights, local: LrFullLocal, answer: Answer, training: boolean): number {
  const features = featuresOf(weights, local, answer, unseenFull);
  const full = fullFeaturesOf(local, answer, features);
  const sum = logit(weights, local.ability, answer, features) + fullLogit(weights, local, features, full);
  const p = sigmoid(sum);
  const error = (answer.correct ? 1 : 0) - p;
  if (training) {
    train(weights, answer.itemId, features, error, rates);
    trainFull(weights, local, answer.itemId, features, full, error, rates);
  }
  remember(local, answer, features.skillIds, error, rates, newFullSkill);
  rememberFull(local, answer);
  return p;
}

/** After remember() of LR-lite. */
function rememberFull(local: LrFullLocal, { correct, at }: Answer): void {
  local.fast = moveRecent(local.fast, decays.fast, correct);
  local.slow = moveRecent(local.slow, decays.slow, correct);
  local.pattern = addOutcome(local.pattern, correct, lengths.learner);
  for (const number of local.lastSkills) {
    const own = local.skills[number];
    if (own === undefined) continue;
    own.fast = moveRecent(own.fast, decays.skillFast, correct);
    own.slow = moveRecent(own.slow, decays.skillSlow, correct);
    own.history = addOutcome(own.history, correct, lengths.history);
    own.pattern = lastOutcomes(own.history, lengths.skill);
    own.at = secondsOf(at);
  }
  while (local.itemPatterns.length < local.items.length) local.itemPatterns.push(noOutcomes);
  const before = local.itemPatterns[local.lastItem] ?? noOutcomes;
  local.itemPatterns[local.lastItem] = addOutcome(before, correct, lengths.item);
}

function predict(weights: LrFullWeights, local: LrFullLocal, question: Question): number {
  const features = featuresOf(weights, local, question, unseenFull);
  const full = fullFeaturesOf(local, question, features);
  return sigmoid(logit(weights, local.ability, question, features) + fullLogit(weights, local, features, full));
}

/**
 * LR-full: what LR-lite has, and
 *
 *   + the pattern of the last 8 outcomes of u, of the last 4 on the item, mean_s of the last 4 on each skill
 *   + averages of recent outcomes at two more rates of decay, of u and mean_s of each skill
 *   + how often u answered the item, in buckets
 *   + of the item itself: whether u's last answer to it was right or wrong, and a slope on recent_u
 *   + the pair (item answered last, its outcome, this item), and the pairs of their skills, hashed
 *   + mean_s of the time since u last practised the skill, in buckets of its logarithm, where times are known
 */
export const lrFull: LearnerModel<LrFullWeights, LrFullLocal> = {
  name: lrFullName,
  newWeights: () => ({
    shared: newWeights(sharedFullWidth),
    items: new WeightTable(itemFullWidth, new Float32Array()),
    skills: new WeightTable(skillWidth, new Float32Array()),
    pairs: new PairWeights(),
  }),
  newLocal: (ids = newLearnerIds()) => newLrFullLocal(ids),
  predict,
  explain,
  prepare,
  observe: (weights, local, answer) => fold(weights, local, answer, false),
  learn: (weights, local, answer) => fold(weights, local, answer, true),
  difficulty: difficultyOf,
  encodeWeights: (weights) => encodeLrFull(weights, "exact"),
  encodePublished: (weights) => encodeLrFull(weights, "published"),
  decodeWeights: decodeLrFull,
  localToJson,
  localFromJson,
  writeLocal,
  readLocal,
  practiceOf: (local, skill) => local.skills[skill],
  attemptsAt: (local, item) => attemptsOf(local.items[item] ?? noCounts),
};
