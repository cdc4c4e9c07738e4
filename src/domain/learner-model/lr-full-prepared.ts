import { attemptsOf, noCounts } from "./counts.ts";
import { recentUnit } from "./fixed-point.ts";
import type { PreparedQuestions, Question } from "./learner-model.ts";
import {
  itemTerms,
  type LastAnswer,
  lastAnswerOf,
  learnerTerms,
  ownItemTerms,
  skillPairTerm,
  skillSlots,
  skillTerms,
  unseenFull,
} from "./lr-full-features.ts";
import { type LrFullLocal, type LrFullWeights, secondsOf } from "./lr-full-types.ts";
import { prepareLogits } from "./lr-prepared.ts";
import { noOutcomes } from "./outcome-pattern.ts";
import { hashOf, slotOf } from "./pair-slots.ts";
import { questionIndex } from "./question-index.ts";
import { sigmoid } from "./sigmoid.ts";

/**
 * The logit as lr-full-features.ts has it, in the same order. What depends on a skill only is worked out once for each
 * learner: for those met at once, of the others when a question asks for the first.
 */
export function prepare(weights: LrFullWeights, questions: readonly Question[]): PreparedQuestions<LrFullLocal> {
  const { shared, items, pairs } = weights;
  const index = questionIndex(questions);
  const lite = prepareLogits(weights, questions, index);
  const rows = Int32Array.from(questions, ({ itemId }) => items.find(itemId));
  const itemHashes = Int32Array.from(questions, ({ itemId }) => hashOf(itemId));
  const skillHashes = Int32Array.from(index.skillIds, hashOf);
  const { numbers } = items;
  const pairValues = pairs.values();
  const unmetItem = itemTerms(shared, noOutcomes, 0);
  const unmetSkill = skillTerms(shared, unseenFull, 0);

  // Of the learner in hand. What is set for one is set back for the next.
  const numberOf = new Int32Array(questions.length).fill(-1);
  const terms = new Float64Array(index.skillIds.length).fill(unmetSkill);
  const pairTerms = new Float64Array(index.skillIds.length).fill(Number.NaN);
  const asked: number[] = [];
  let ofLearner = 0;
  let recent = 0;
  let last: LastAnswer = { item: null, skills: [] };
  let own: LrFullLocal | null = null;

  function setItems(local: LrFullLocal, learnerBefore: readonly number[]): void {
    for (const question of learnerBefore) numberOf[question] = -1;
    for (let k = 0; k < index.items.length; k++) {
      const number = index.itemNumbers[k] as number;
      if (local.items[number] !== noCounts) numberOf[index.items[k] as number] = number;
    }
  }

  function setSkills(local: LrFullLocal, learnerBefore: readonly number[], now: number): void {
    for (const place of learnerBefore) terms[place] = unmetSkill;
    for (let k = 0; k < index.skills.length; k++) {
      const skill = local.skills[index.skillNumbers[k] as number] ?? unseenFull;
      terms[index.skills[k] as number] = skillTerms(shared, skill, now);
    }
    for (const place of asked) pairTerms[place] = Number.NaN;
    asked.length = 0;
  }

  function pairTermOf(place: number): number {
    const known = pairTerms[place] as number;
    if (!Number.isNaN(known)) return known;
    const slots = skillSlots(last.skills, skillHashes[place] as number);
    const term = skillPairTerm(pairs, slots, 0, slots.length);
    pairTerms[place] = term;
    asked.push(place);
    return term;
  }

  function logit(question: number): number {
    const number = numberOf[question] as number;
    let pattern = noOutcomes;
    let sum = ofLearner;
    if (number < 0 || own === null) {
      sum += unmetItem;
    } else {
      pattern = own.itemPatterns[number] as number;
      sum += itemTerms(shared, pattern, attemptsOf(own.items[number] as number));
    }
    const row = rows[question] as number;
    if (row >= 0) sum += ownItemTerms(numbers, row, pattern, recent);
    if (last.item !== null) sum += pairValues[slotOf(last.item, itemHashes[question] as number)] as number;
    const places = index.skillsOf[question] as readonly number[];
    if (places.length === 0) return sum;
    let means = 0;
    for (let k = 0; k < places.length; k++) {
      const place = places[k] as number;
      means += terms[place] as number;
      means += pairTermOf(place);
    }
    return sum + means / places.length;
  }

  const predict = (question: number): number => sigmoid(lite.logit(question) + logit(question));
  return {
    forLearner(local, at = null) {
      const [itemsBefore, skillsBefore] = [index.items.slice(), index.skills.slice()];
      index.match(local);
      lite.setLearner(local);
      setItems(local, itemsBefore);
      setSkills(local, skillsBefore, secondsOf(at));
      ofLearner = learnerTerms(shared, local);
      recent = local.recent * recentUnit;
      last = lastAnswerOf(local);
      own = local;
      return predict;
    },
  };
}
