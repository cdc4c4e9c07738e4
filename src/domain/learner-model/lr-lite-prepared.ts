import { attemptsOf, noCounts, winsOf } from "./counts.ts";
import { abilityUnit, recentUnit } from "./fixed-point.ts";
import type { PreparedQuestions, Question } from "./learner-model.ts";
import { easiness, log1p, unseen } from "./lr-lite-features.ts";
import type { LrLiteLocal, LrLiteWeights } from "./lr-lite-types.ts";
import { sigmoid } from "./sigmoid.ts";
import { skillSet } from "./skill-set.ts";

/** Numbers kept of a skill: two summands of the mean, two of the sum. */
const termsOfSkill = 4;

/**
 * The logit as lr-lite-features.ts has it, each sum taken in the same order: what it adds up is looked up here instead of
 * being worked out for each prediction.
 */
export function prepare(weights: LrLiteWeights, questions: readonly Question[]): PreparedQuestions<LrLiteLocal> {
  const { shared } = weights;
  const numbers = new Map(questions.map(({ itemId }, number) => [itemId, number]));
  const easy = Float64Array.from(questions, (question) => shared.bias.value + easiness(weights, question));
  const skillIds: string[] = [];
  const skillNumbers = new Map<string, number>();
  const skillsOf = questions.map((question) => skillSet(question.skillIds).map(numberOfSkill));
  const skillWeights = skillIds.map((id) => weights.skills.get(id));

  // Of the learner in hand. What is set for one is set back for the next: few of all skills, few of all items.
  const counts = new Int32Array(questions.length);
  const counted: number[] = [];
  const terms = new Float64Array(termsOfSkill * skillIds.length);
  const ofLastAnswer = new Uint8Array(skillIds.length);
  const met: number[] = skillIds.map((_, number) => number);
  let lastItem = -1;
  let ability = 0;
  let history = 0;
  let recent = 0;

  function numberOfSkill(id: string): number {
    const known = skillNumbers.get(id);
    if (known !== undefined) return known;
    const number = skillIds.push(id) - 1;
    skillNumbers.set(id, number);
    return number;
  }

  function setItems(local: LrLiteLocal): void {
    for (const number of counted) counts[number] = noCounts;
    counted.length = 0;
    const { list } = local.ids.items;
    for (let item = 0; item < local.items.length; item++) {
      const number = numbers.get(list[item] as string);
      if (number === undefined) continue;
      counts[number] = local.items[item] as number;
      counted.push(number);
    }
    lastItem = numbers.get(list[local.lastItem] ?? "") ?? -1;
  }

  function setSkills(local: LrLiteLocal): void {
    for (const number of met) {
      setSkill(number, unseen);
      ofLastAnswer[number] = 0;
    }
    met.length = 0;
    for (let skill = 0; skill < local.skills.length; skill++) {
      const number = skillNumbers.get(local.ids.skills.list[skill] as string);
      if (number === undefined) continue;
      setSkill(number, local.skills[skill] ?? unseen);
      met.push(number);
      if (local.lastSkills.includes(skill)) ofLastAnswer[number] = 1;
    }
  }

  function setSkill(number: number, own: typeof unseen): void {
    const of = skillWeights[number];
    const at = termsOfSkill * number;
    terms[at] = own.ability * abilityUnit + (of?.level.value ?? 0);
    terms[at + 1] = (shared.skillRecent.value + (of?.recent.value ?? 0)) * own.recent * recentUnit;
    terms[at + 2] = (shared.skillWins.value + (of?.wins.value ?? 0)) * log1p(own.wins);
    terms[at + 3] = (shared.skillAttempts.value + (of?.attempts.value ?? 0)) * log1p(own.attempts);
  }

  function predict(question: number): number {
    const skills = skillsOf[question] as readonly number[];
    let sum = (easy[question] as number) + ability;
    const own = counts[question] as number;
    if (own !== noCounts) {
      sum += shared.itemWins.value * log1p(winsOf(own)) + shared.itemAttempts.value * log1p(attemptsOf(own));
    }
    sum += history;
    sum += recent;
    if (question === lastItem) sum += shared.sameItem.value;
    let means = 0;
    let sums = 0;
    let sharesSkill = false;
    for (let k = 0; k < skills.length; k++) {
      const number = skills[k] as number;
      const at = termsOfSkill * number;
      means += terms[at] as number;
      means += terms[at + 1] as number;
      sums += terms[at + 2] as number;
      sums += terms[at + 3] as number;
      if (ofLastAnswer[number] === 1) sharesSkill = true;
    }
    if (sharesSkill) sum += shared.sharedSkill.value;
    return sigmoid(sum + (skills.length === 0 ? 0 : means / skills.length + sums));
  }

  return {
    forLearner(local) {
      setItems(local);
      setSkills(local);
      ability = local.ability * abilityUnit;
      history = shared.wins.value * log1p(local.wins) + shared.attempts.value * log1p(local.attempts);
      recent = shared.recent.value * (local.recent * recentUnit);
      return predict;
    },
  };
}
