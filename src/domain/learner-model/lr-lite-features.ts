import { attemptsOf, noCounts, winsOf } from "./counts.ts";
import { abilityUnit, recentUnit } from "./fixed-point.ts";
import type { Question } from "./learner-model.ts";
import type { LocalSkill, LrLiteLocal, LrLiteWeights } from "./lr-lite-types.ts";
import { skillSet } from "./skill-set.ts";
import { shareOfPrior } from "./weight.ts";

/** What the model holds of a skill that the learner never answered. */
export const unseen: Readonly<LocalSkill> = { wins: 0, attempts: 0, ability: 0, recent: 0 };

/** Counts are whole and mostly small, and each prediction needs the logarithms of several. */
const logarithms = Float64Array.from({ length: 4096 }, (_, count) => Math.log1p(count));
export const log1p = (count: number): number => logarithms[count] ?? Math.log1p(count);

/** What the formula multiplies its weights with. */
export interface Features {
  readonly skillIds: readonly string[];
  readonly skills: readonly Readonly<LocalSkill>[];
  readonly itemWins: number;
  readonly itemAttempts: number;
  readonly wins: number;
  readonly attempts: number;
  readonly recent: number;
  readonly sameItem: boolean;
  readonly sharedSkill: boolean;
}

export function featuresOf(local: LrLiteLocal, question: Question): Features {
  const skillIds = skillSet(question.skillIds);
  const item = local.ids.items.find(question.itemId);
  const counts = item < 0 ? noCounts : (local.items[item] ?? noCounts);
  const skills: Readonly<LocalSkill>[] = [];
  let sharedSkill = false;
  for (const id of skillIds) {
    const number = local.ids.skills.find(id);
    skills.push(number < 0 ? unseen : (local.skills[number] ?? unseen));
    if (number >= 0 && local.lastSkills.includes(number)) sharedSkill = true;
  }
  return {
    skillIds,
    skills,
    itemWins: log1p(winsOf(counts)),
    itemAttempts: log1p(attemptsOf(counts)),
    wins: log1p(local.wins),
    attempts: log1p(local.attempts),
    recent: local.recent * recentUnit,
    sameItem: item >= 0 && local.lastItem === item,
    sharedSkill,
  };
}

export function logit(weights: LrLiteWeights, ability: number, question: Question, features: Features): number {
  const { shared } = weights;
  let sum = shared.bias.value + easiness(weights, question) + ability * abilityUnit;
  sum += shared.itemWins.value * features.itemWins + shared.itemAttempts.value * features.itemAttempts;
  sum += shared.wins.value * features.wins + shared.attempts.value * features.attempts;
  sum += shared.recent.value * features.recent;
  if (features.sameItem) sum += shared.sameItem.value;
  if (features.sharedSkill) sum += shared.sharedSkill.value;
  return sum + skillTerms(weights, features);
}

/** Of the item alone, in logits: what was learned of it, and what its author guessed while little was. */
export function easiness(weights: LrLiteWeights, { itemId, difficulty = 0 }: Question): number {
  const learned = weights.items.get(itemId);
  return learned === undefined ? -difficulty : learned.value - difficulty * shareOfPrior(learned);
}

function skillTerms(weights: LrLiteWeights, features: Features): number {
  const { shared, skills } = weights;
  let means = 0;
  let sums = 0;
  for (let k = 0; k < features.skills.length; k++) {
    const own = features.skills[k] ?? unseen;
    const skill = skills.get(features.skillIds[k] ?? "");
    means += own.ability * abilityUnit + (skill?.level.value ?? 0);
    means += (shared.skillRecent.value + (skill?.recent.value ?? 0)) * own.recent * recentUnit;
    sums += (shared.skillWins.value + (skill?.wins.value ?? 0)) * log1p(own.wins);
    sums += (shared.skillAttempts.value + (skill?.attempts.value ?? 0)) * log1p(own.attempts);
  }
  return features.skills.length === 0 ? 0 : means / features.skills.length + sums;
}
