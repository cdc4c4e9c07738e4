import { countAnswer, noCounts } from "./counts.ts";
import { moveAbility, moveRecent, recentUnit } from "./fixed-point.ts";
import { getOrAdd } from "./get-or-add.ts";
import { newLearnerIds } from "./ids.ts";
import type { Answer, LearnerModel } from "./learner-model.ts";
import { decodeLrLite, encodeLrLite } from "./lr-lite-bytes.ts";
import { explain } from "./lr-lite-explain.ts";
import { type Features, featuresOf, log1p, logit, unseen } from "./lr-lite-features.ts";
import { localFromJson, localToJson } from "./lr-lite-json.ts";
import { readLocal, writeLocal } from "./lr-lite-local-bytes.ts";
import { prepare } from "./lr-lite-prepared.ts";
import {
  type LocalSkill,
  type LrLiteLocal,
  type LrLiteWeights,
  lrLiteName,
  type SharedWeights,
  type SkillWeights,
  sharedNames,
} from "./lr-lite-types.ts";
import { sigmoid } from "./sigmoid.ts";
import { skillSet } from "./skill-set.ts";
import { newWeight, step } from "./weight.ts";

/** Adagrad's rates: tuned on one public log, see docs/learner-model.md. */
const rates = { item: 0.42, skill: 0.22, shared: 0.08, skillSlope: 0.016 } as const;
const decays = { learner: 0.8, skill: 0.7 } as const;
const abilityRate = (answers: number): number => 0.08 / (1 + 0.017 * answers);
const skillAbilityRate = (answers: number): number => 0.07 / (1 + 0.19 * answers);

const newLocalSkill = (): LocalSkill => ({ wins: 0, attempts: 0, ability: 0, recent: 0 });

/** One Adagrad step of every weight the prediction used; `error` is correct - p. */
function train(weights: LrLiteWeights, itemId: string, features: Features, error: number): void {
  const { shared } = weights;
  step(shared.bias, rates.shared, error);
  step(getOrAdd(weights.items, itemId, newWeight), rates.item, error);
  step(shared.itemWins, rates.shared, error * features.itemWins);
  step(shared.itemAttempts, rates.shared, error * features.itemAttempts);
  step(shared.wins, rates.shared, error * features.wins);
  step(shared.attempts, rates.shared, error * features.attempts);
  step(shared.recent, rates.shared, error * features.recent);
  if (features.sameItem) step(shared.sameItem, rates.shared, error);
  if (features.sharedSkill) step(shared.sharedSkill, rates.shared, error);
  if (features.skills.length > 0) trainSkills(weights, features, error);
}

function trainSkills(weights: LrLiteWeights, features: Features, error: number): void {
  const { shared } = weights;
  const share = error / features.skills.length;
  let wins = 0;
  let attempts = 0;
  let recent = 0;
  for (let k = 0; k < features.skills.length; k++) {
    const own = features.skills[k] ?? unseen;
    const skill = getOrAdd(weights.skills, features.skillIds[k] ?? "", newSkillWeights);
    const logWins = log1p(own.wins);
    const logAttempts = log1p(own.attempts);
    wins += logWins;
    attempts += logAttempts;
    recent += own.recent * recentUnit;
    step(skill.level, rates.skill, share);
    step(skill.wins, rates.skillSlope, error * logWins);
    step(skill.attempts, rates.skillSlope, error * logAttempts);
    step(skill.recent, rates.skillSlope, share * own.recent * recentUnit);
  }
  step(shared.skillWins, rates.shared, error * wins);
  step(shared.skillAttempts, rates.shared, error * attempts);
  step(shared.skillRecent, rates.shared, share * recent);
}

const newSkillWeights = (): SkillWeights => ({
  level: newWeight(),
  wins: newWeight(),
  attempts: newWeight(),
  recent: newWeight(),
});

/** Folds the answer into the learner's own numbers; `error` is correct - p. */
function remember(local: LrLiteLocal, answer: Answer, skillIds: readonly string[], error: number): void {
  const { correct, itemId } = answer;
  local.ability = moveAbility(local.ability, abilityRate(local.attempts) * error);
  local.recent = moveRecent(local.recent, decays.learner, correct);
  local.attempts += 1;
  if (correct) local.wins += 1;
  const lastSkills: number[] = [];
  for (const id of skillIds) {
    const number = local.ids.skills.add(id);
    if (number === local.skills.length) local.skills.push(newLocalSkill());
    const own = local.skills[number] as LocalSkill;
    lastSkills.push(number);
    own.ability = moveAbility(own.ability, skillAbilityRate(own.attempts) * error);
    own.recent = moveRecent(own.recent, decays.skill, correct);
    own.attempts += 1;
    if (correct) own.wins += 1;
  }
  const item = local.ids.items.add(itemId);
  while (local.items.length <= item) local.items.push(noCounts);
  local.items[item] = countAnswer(local.items[item] ?? noCounts, correct);
  local.lastItem = item;
  local.lastSkills = lastSkills;
}

function fold(weights: LrLiteWeights, local: LrLiteLocal, answer: Answer, training: boolean): number {
  const features = featuresOf(local, answer);
  const p = sigmoid(logit(weights, local.ability, answer, features));
  const error = (answer.correct ? 1 : 0) - p;
  if (training) train(weights, answer.itemId, features, error);
  remember(local, answer, features.skillIds, error);
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
export const lrLite: LearnerModel<LrLiteWeights, LrLiteLocal> = {
  name: lrLiteName,
  newWeights: () => ({
    shared: Object.fromEntries(sharedNames.map((name) => [name, newWeight()])) as SharedWeights,
    items: new Map(),
    skills: new Map(),
  }),
  newLocal: (ids = newLearnerIds()) => ({
    ...newLocalSkill(),
    ids,
    lastItem: -1,
    lastSkills: [],
    skills: [],
    items: [],
  }),
  predict: (weights, local, question) => sigmoid(logit(weights, local.ability, question, featuresOf(local, question))),
  explain,
  prepare,
  observe: (weights, local, answer) => fold(weights, local, answer, false),
  learn: (weights, local, answer) => fold(weights, local, answer, true),
  difficulty: (weights, question) => {
    const skillIds = skillSet(question.skillIds);
    let level = 0;
    for (const id of skillIds) level += (weights.skills.get(id)?.level.value ?? 0) / skillIds.length;
    return 0 - ((weights.items.get(question.itemId)?.value ?? 0) + level);
  },
  encodeWeights: encodeLrLite,
  decodeWeights: decodeLrLite,
  localToJson,
  localFromJson,
  writeLocal,
  readLocal,
};
