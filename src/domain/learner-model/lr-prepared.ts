import { attemptsOf, noCounts, winsOf } from "./counts.ts";
import { abilityUnit, recentUnit } from "./fixed-point.ts";
import type { PreparedQuestions, Question } from "./learner-model.ts";
import { easiness, log1p, unseen, valueAt } from "./lr-features.ts";
import { type LocalSkill, type LrLocal, type LrWeights, ofSkill, shared } from "./lr-types.ts";
import { type QuestionIndex, questionIndex } from "./question-index.ts";
import { sigmoid } from "./sigmoid.ts";

export function prepareLite(weights: LrWeights, questions: readonly Question[]): PreparedQuestions<LrLocal> {
  const index = questionIndex(questions);
  const lite = prepareLogits(weights, questions, index);
  const predict = (question: number): number => sigmoid(lite.logit(question));
  return {
    forLearner(local) {
      index.match(local);
      lite.setLearner(local);
      return predict;
    },
  };
}

export interface PreparedLogits {
  /** `index` has been matched to the learner before. */
  setLearner(local: LrLocal): void;
  /** Of the question of that number, for this learner. */
  logit(question: number): number;
}

/** Numbers kept of a skill: two summands of the mean, two of the sum. */
const termsOfSkill = 4;

/**
 * The logit as lr-features.ts has it, each sum taken in the same order: what it adds up is looked up here instead of
 * being worked out for each prediction.
 */
export function prepareLogits(
  weights: LrWeights,
  questions: readonly Question[],
  index: QuestionIndex,
): PreparedLogits {
  const of = weights.shared;
  const { numbers: skillNumbers } = weights.skills;
  const easy = Float64Array.from(
    questions,
    (question) => valueAt(of, shared.bias) + easiness(weights, question, weights.items.find(question.itemId)),
  );
  const skillRows = index.skillIds.map((id) => weights.skills.find(id));
  const [itemWins, itemAttempts] = [valueAt(of, shared.itemWins), valueAt(of, shared.itemAttempts)];

  // Of the learner in hand. What is set for one is set back for the next: few of all skills, few of all items.
  const counts = new Int32Array(questions.length);
  const counted: number[] = [];
  const terms = new Float64Array(termsOfSkill * index.skillIds.length);
  const ofLastAnswer = new Uint8Array(index.skillIds.length);
  const met: number[] = index.skillIds.map((_, number) => number);
  let ability = 0;
  let history = 0;
  let recent = 0;

  function setItems(local: LrLocal): void {
    for (const number of counted) counts[number] = noCounts;
    counted.length = 0;
    for (let k = 0; k < index.items.length; k++) {
      const number = index.items[k] as number;
      counts[number] = local.items[index.itemNumbers[k] as number] as number;
      counted.push(number);
    }
  }

  function setSkills(local: LrLocal): void {
    for (const number of met) {
      setSkill(number, unseen);
      ofLastAnswer[number] = 0;
    }
    met.length = 0;
    for (let k = 0; k < index.skills.length; k++) {
      const number = index.skills[k] as number;
      const skill = index.skillNumbers[k] as number;
      setSkill(number, local.skills[skill] ?? unseen);
      met.push(number);
      if (local.lastSkills.includes(skill)) ofLastAnswer[number] = 1;
    }
  }

  function setSkill(number: number, own: Readonly<LocalSkill>): void {
    const row = skillRows[number] as number;
    const weightOf = (at: number): number => (row < 0 ? 0 : valueAt(skillNumbers, row + at));
    const at = termsOfSkill * number;
    terms[at] = own.ability * abilityUnit + weightOf(ofSkill.level);
    terms[at + 1] = (valueAt(of, shared.skillRecent) + weightOf(ofSkill.recent)) * own.recent * recentUnit;
    terms[at + 2] = (valueAt(of, shared.skillWins) + weightOf(ofSkill.wins)) * log1p(own.wins);
    terms[at + 3] = (valueAt(of, shared.skillAttempts) + weightOf(ofSkill.attempts)) * log1p(own.attempts);
  }

  function logit(question: number): number {
    const skills = index.skillsOf[question] as readonly number[];
    let sum = (easy[question] as number) + ability;
    const own = counts[question] as number;
    if (own !== noCounts) sum += itemWins * log1p(winsOf(own)) + itemAttempts * log1p(attemptsOf(own));
    sum += history;
    sum += recent;
    if (question === index.lastItem) sum += valueAt(of, shared.sameItem);
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
    if (sharesSkill) sum += valueAt(of, shared.sharedSkill);
    return sum + (skills.length === 0 ? 0 : means / skills.length + sums);
  }

  return {
    setLearner(local) {
      setItems(local);
      setSkills(local);
      ability = local.ability * abilityUnit;
      history = valueAt(of, shared.wins) * log1p(local.wins) + valueAt(of, shared.attempts) * log1p(local.attempts);
      recent = valueAt(of, shared.recent) * (local.recent * recentUnit);
    },
    logit,
  };
}
