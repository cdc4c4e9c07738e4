import { attemptsOf, noCounts, winsOf } from "./counts.ts";
import { abilityUnit, recentUnit } from "./fixed-point.ts";
import type { Question } from "./learner-model.ts";
import { type LocalSkill, type LrLocal, type LrWeights, newLocalSkill, ofSkill, shared } from "./lr-types.ts";
import { skillSet } from "./skill-set.ts";
import { shareOfPrior } from "./weight.ts";

/** What the models hold of a skill that the learner never answered. */
export const unseen: Readonly<LocalSkill> = newLocalSkill();

/** Counts are whole and mostly small, and each prediction needs the logarithms of several. */
const logarithms = Float64Array.from({ length: 4096 }, (_, count) => Math.log1p(count));
export const log1p = (count: number): number => logarithms[count] ?? Math.log1p(count);

/** What the formula multiplies its weights with, and where these stand. */
export interface Features<Skill extends LocalSkill = LocalSkill> {
  /** The item's number among the learner's, and its row of weights; -1 where there is none. */
  readonly item: number;
  readonly itemRow: number;
  /** As skill-set.ts gives them; beside each the learner's own and the row of weights. */
  readonly skillIds: readonly string[];
  readonly skills: readonly Readonly<Skill>[];
  readonly skillRows: readonly number[];
  readonly itemWins: number;
  readonly itemAttempts: number;
  readonly wins: number;
  readonly attempts: number;
  readonly recent: number;
  readonly sameItem: boolean;
  readonly sharedSkill: boolean;
}

/** `unseenSkill`: stands for a skill that the learner never answered. */
export function featuresOf<Skill extends LocalSkill>(
  weights: LrWeights,
  local: LrLocal<Skill>,
  question: Question,
  unseenSkill: Readonly<Skill>,
): Features<Skill> {
  const skillIds = skillSet(question.skillIds);
  const item = local.ids.items.find(question.itemId);
  const counts = item < 0 ? noCounts : (local.items[item] ?? noCounts);
  const skills: Readonly<Skill>[] = [];
  const skillRows: number[] = [];
  let sharedSkill = false;
  for (const id of skillIds) {
    const number = local.ids.skills.find(id);
    skills.push(number < 0 ? unseenSkill : (local.skills[number] ?? unseenSkill));
    skillRows.push(weights.skills.find(id));
    if (number >= 0 && local.lastSkills.includes(number)) sharedSkill = true;
  }
  return {
    item,
    itemRow: weights.items.find(question.itemId),
    skillIds,
    skills,
    skillRows,
    itemWins: log1p(winsOf(counts)),
    itemAttempts: log1p(attemptsOf(counts)),
    wins: log1p(local.wins),
    attempts: log1p(local.attempts),
    recent: local.recent * recentUnit,
    sameItem: item >= 0 && local.lastItem === item,
    sharedSkill,
  };
}

/** The logit of LR-lite; LR-full adds more to it. */
export function logit(weights: LrWeights, ability: number, question: Question, features: Features): number {
  const of = weights.shared;
  let sum = valueAt(of, shared.bias) + easiness(weights, question, features.itemRow) + ability * abilityUnit;
  sum += valueAt(of, shared.itemWins) * features.itemWins + valueAt(of, shared.itemAttempts) * features.itemAttempts;
  sum += valueAt(of, shared.wins) * features.wins + valueAt(of, shared.attempts) * features.attempts;
  sum += valueAt(of, shared.recent) * features.recent;
  if (features.sameItem) sum += valueAt(of, shared.sameItem);
  if (features.sharedSkill) sum += valueAt(of, shared.sharedSkill);
  return sum + skillTerms(weights, features);
}

export const valueAt = (numbers: Float64Array | Float32Array, at: number): number => numbers[at] as number;

/** Of the item alone, in logits: what was learned of it, and what its author guessed while little was. */
export function easiness({ items }: LrWeights, { difficulty = 0 }: Question, row: number): number {
  if (row < 0) return -difficulty;
  return valueAt(items.numbers, row) - difficulty * shareOfPrior(valueAt(items.numbers, row + 1));
}

/** Difficulty in logits of the item with its skills, by the weights alone. */
export function difficultyOf(weights: LrWeights, question: Question): number {
  const skillIds = skillSet(question.skillIds);
  let level = 0;
  for (const id of skillIds) {
    const row = weights.skills.find(id);
    if (row >= 0) level += valueAt(weights.skills.numbers, row + ofSkill.level) / skillIds.length;
  }
  return 0 - (easiness(weights, question, weights.items.find(question.itemId)) + level);
}

function skillTerms(weights: LrWeights, features: Features): number {
  const { numbers } = weights.skills;
  const of = weights.shared;
  const count = features.skills.length;
  let means = 0;
  let sums = 0;
  for (let k = 0; k < count; k++) {
    const own = features.skills[k] ?? unseen;
    const row = features.skillRows[k] as number;
    const known = row >= 0;
    means += own.ability * abilityUnit + (known ? valueAt(numbers, row + ofSkill.level) : 0);
    const recent = known ? valueAt(numbers, row + ofSkill.recent) : 0;
    means += (valueAt(of, shared.skillRecent) + recent) * own.recent * recentUnit;
    const wins = known ? valueAt(numbers, row + ofSkill.wins) : 0;
    sums += (valueAt(of, shared.skillWins) + wins) * log1p(own.wins);
    const attempts = known ? valueAt(numbers, row + ofSkill.attempts) : 0;
    sums += (valueAt(of, shared.skillAttempts) + attempts) * log1p(own.attempts);
  }
  return count === 0 ? 0 : means / count + sums;
}
