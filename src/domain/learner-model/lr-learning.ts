import { countAnswer, noCounts } from "./counts.ts";
import { moveAbility, moveRecent, recentUnit } from "./fixed-point.ts";
import type { Answer } from "./learner-model.ts";
import { type Features, log1p, unseen } from "./lr-features.ts";
import { type LocalSkill, type LrLocal, type LrRates, type LrWeights, ofSkill, shared } from "./lr-types.ts";
import { step } from "./weight.ts";

/** Of the average of all outcomes, and of those of each skill. */
const learnerDecay = 0.8;
export const skillDecay = 0.7;

/** One Adagrad step of every weight of LR-lite that the prediction used; `error` is correct - p. Adds rows of new ids. */
export function train(weights: LrWeights, itemId: string, features: Features, error: number, rates: LrRates): void {
  const of = weights.shared;
  step(of, shared.bias, rates.shared, error);
  const row = weights.items.add(itemId);
  step(weights.items.numbers, row, rates.item, error);
  step(of, shared.itemWins, rates.shared, error * features.itemWins);
  step(of, shared.itemAttempts, rates.shared, error * features.itemAttempts);
  step(of, shared.wins, rates.shared, error * features.wins);
  step(of, shared.attempts, rates.shared, error * features.attempts);
  step(of, shared.recent, rates.shared, error * features.recent);
  if (features.sameItem) step(of, shared.sameItem, rates.shared, error);
  if (features.sharedSkill) step(of, shared.sharedSkill, rates.shared, error);
  if (features.skills.length > 0) trainSkills(weights, features, error, rates);
}

function trainSkills(weights: LrWeights, features: Features, error: number, rates: LrRates): void {
  const of = weights.shared;
  const share = error / features.skills.length;
  let wins = 0;
  let attempts = 0;
  let recent = 0;
  for (let k = 0; k < features.skills.length; k++) {
    const own = features.skills[k] ?? unseen;
    const row = weights.skills.add(features.skillIds[k] as string);
    const { numbers } = weights.skills;
    const logWins = log1p(own.wins);
    const logAttempts = log1p(own.attempts);
    wins += logWins;
    attempts += logAttempts;
    recent += own.recent * recentUnit;
    step(numbers, row + ofSkill.level, rates.skill, share);
    step(numbers, row + ofSkill.wins, rates.skillSlope, error * logWins);
    step(numbers, row + ofSkill.attempts, rates.skillSlope, error * logAttempts);
    step(numbers, row + ofSkill.recent, rates.skillSlope, share * own.recent * recentUnit);
  }
  step(of, shared.skillWins, rates.shared, error * wins);
  step(of, shared.skillAttempts, rates.shared, error * attempts);
  step(of, shared.skillRecent, rates.shared, share * recent);
}

/** Folds the answer into what LR-lite keeps of the learner; `error` is correct - p. `lastItem` and `lastSkills` are then its own. */
export function remember<Skill extends LocalSkill>(
  local: LrLocal<Skill>,
  answer: Answer,
  skillIds: readonly string[],
  error: number,
  rates: LrRates,
  newSkill: () => Skill,
): void {
  const { correct, itemId } = answer;
  local.ability = moveAbility(local.ability, rates.ability(local.attempts) * error);
  local.recent = moveRecent(local.recent, learnerDecay, correct);
  local.attempts += 1;
  if (correct) local.wins += 1;
  const lastSkills: number[] = [];
  for (const id of skillIds) {
    const number = local.ids.skills.add(id);
    if (number === local.skills.length) local.skills.push(newSkill());
    const own = local.skills[number] as Skill;
    lastSkills.push(number);
    own.ability = moveAbility(own.ability, rates.skillAbility(own.attempts) * error);
    own.recent = moveRecent(own.recent, skillDecay, correct);
    own.attempts += 1;
    if (correct) own.wins += 1;
  }
  const item = local.ids.items.add(itemId);
  while (local.items.length <= item) local.items.push(noCounts);
  local.items[item] = countAnswer(local.items[item] ?? noCounts, correct);
  local.lastItem = item;
  local.lastSkills = lastSkills;
}
