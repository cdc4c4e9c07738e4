import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { Explainer, type Explanation, informationOfAnswer, varianceAfter } from "./explanation.ts";
import { abilityUnit, moveAbility } from "./fixed-point.ts";
import { getOrAdd } from "./get-or-add.ts";
import { type LearnerIds, newLearnerIds } from "./ids.ts";
import { JsonReader } from "./json-reader.ts";
import type { Answer, LearnerModel, Question } from "./learner-model.ts";
import { sigmoid } from "./sigmoid.ts";
import { skillSet } from "./skill-set.ts";
import { decodeWeightsFile, encodeWeightsFile, NumberReader } from "./weights-bytes.ts";

/** A number moved by answers, less by each: an ability or an easiness, in logits. */
interface Rating {
  value: number;
  answers: number;
}

export interface EloWeights {
  /** Easiness of items and of skills; what is not there is average. */
  readonly items: Map<string, Rating>;
  readonly skills: Map<string, Rating>;
}

/** The learner's ability and, by number, its part for each skill, in the units of fixed-point.ts. */
export interface EloLocal extends Rating {
  readonly ids: LearnerIds;
  readonly skills: Rating[];
}

/**
 * Step sizes K / (1 + decay n), n answers seen: Pelanek 2016, "Applications of the Elo rating system in adaptive
 * educational systems"; values tuned on one public log, see docs/learner-model.md.
 */
const stepSize = {
  ability: (n: number) => 0.78 / (1 + 0.04 * n),
  skillAbility: (n: number) => 0.34 / (1 + 0.033 * n),
  item: (n: number) => 0.37 / (1 + 0.048 * n),
  skill: (n: number) => 0.115 / (1 + 0.023 * n),
} as const;

/** p = sigmoid(item + mean_s skill_s + ability_u + mean_s ability_us). `skillIds` as skill-set.ts gives them. */
function predict(weights: EloWeights, local: EloLocal, question: Question, skillIds: readonly string[]): number {
  return sigmoid(logit(weights, local, question, skillIds));
}

function logit(weights: EloWeights, local: EloLocal, question: Question, skillIds: readonly string[]): number {
  let skills = 0;
  for (const id of skillIds) {
    skills += (weights.skills.get(id)?.value ?? 0) + ownOf(local, id) * abilityUnit;
  }
  const mean = skillIds.length === 0 ? 0 : skills / skillIds.length;
  return easiness(weights, question) + local.value * abilityUnit + mean;
}

function explain(weights: EloWeights, local: EloLocal, question: Question): Explanation {
  const skillIds = skillSet(question.skillIds);
  const explainer = new Explainer();
  const add = (feature: string, value: number, { value: weight, answers }: Rating, unit = 1): void =>
    explainer.add(feature, value, weight * unit, varianceAfter(informationOfAnswer * answers));
  const item = weights.items.get(question.itemId) ?? newRating();
  add(`item ${question.itemId}`, 1, item);
  if (question.difficulty !== undefined) {
    explainer.add("the author's difficulty", -question.difficulty, 1 / (1 + item.answers), 0);
  }
  add("ability", 1, local, abilityUnit);
  for (const id of skillIds) {
    const own = local.skills[local.ids.skills.find(id)];
    add(`skill ${id}`, 1 / skillIds.length, weights.skills.get(id) ?? newRating());
    add(`ability, skill ${id}`, 1 / skillIds.length, own ?? newRating(), abilityUnit);
  }
  return explainer.explanation(logit(weights, local, question, skillIds));
}

function ownOf(local: EloLocal, skillId: string): number {
  const number = local.ids.skills.find(skillId);
  return number < 0 ? 0 : (local.skills[number]?.value ?? 0);
}

/** Of the item alone, in logits: what was learned of it, and what its author guessed, which counts as one answer. */
function easiness(weights: EloWeights, { itemId, difficulty = 0 }: Question): number {
  const learned = weights.items.get(itemId);
  return learned === undefined ? -difficulty : learned.value - difficulty / (1 + learned.answers);
}

const newRating = (): Rating => ({ value: 0, answers: 0 });

function train(weights: EloWeights, itemId: string, skillIds: readonly string[], error: number): void {
  const item = getOrAdd(weights.items, itemId, newRating);
  item.value += stepSize.item(item.answers++) * error;
  for (const id of skillIds) {
    const skill = getOrAdd(weights.skills, id, newRating);
    skill.value += stepSize.skill(skill.answers++) * error;
  }
}

function remember(local: EloLocal, skillIds: readonly string[], error: number): void {
  local.value = moveAbility(local.value, stepSize.ability(local.answers++) * error);
  for (const id of skillIds) {
    const number = local.ids.skills.add(id);
    if (number === local.skills.length) local.skills.push(newRating());
    const own = local.skills[number] as Rating;
    own.value = moveAbility(own.value, stepSize.skillAbility(own.answers++) * error);
  }
}

function fold(weights: EloWeights, local: EloLocal, answer: Answer, training: boolean): number {
  const skillIds = skillSet(answer.skillIds);
  const p = predict(weights, local, answer, skillIds);
  const error = (answer.correct ? 1 : 0) - p;
  if (training) train(weights, answer.itemId, skillIds, error);
  remember(local, skillIds, error);
  return p;
}

function difficulty(weights: EloWeights, question: Question): number {
  const skillIds = skillSet(question.skillIds);
  let easy = easiness(weights, question);
  for (const id of skillIds) easy += (weights.skills.get(id)?.value ?? 0) / skillIds.length;
  return 0 - easy;
}

function encodeWeights(weights: EloWeights): Uint8Array {
  const numbers: number[] = [];
  for (const rating of [...weights.items.values(), ...weights.skills.values()]) {
    numbers.push(rating.value, rating.answers);
  }
  const ids = { items: [...weights.items.keys()], skills: [...weights.skills.keys()] };
  return encodeWeightsFile({ model: elo.name, ids, numbers: Float64Array.from(numbers) });
}

function decodeWeights(bytes: Uint8Array): EloWeights {
  const file = decodeWeightsFile(bytes, elo.name);
  const reader = new NumberReader(file.numbers);
  const table = (name: string): Map<string, Rating> =>
    new Map((file.ids[name] ?? []).map((id) => [id, { value: reader.take(), answers: reader.take() }]));
  const weights = { items: table("items"), skills: table("skills") };
  reader.end();
  return weights;
}

/** [ability, answers, [skill, ability, answers, ...]] */
function localToJson(local: EloLocal): unknown {
  const skills: (string | number)[] = [];
  for (const [number, own] of local.skills.entries()) {
    skills.push(local.ids.skills.list[number] ?? "", own.value, own.answers);
  }
  return [local.value, local.answers, skills];
}

function localFromJson(json: unknown): EloLocal {
  const reader = new JsonReader(json, "elo state");
  const own = { value: reader.integer(), answers: reader.integer() };
  const ids = newLearnerIds();
  const skills: Rating[] = [];
  for (const each = reader.array(); each.more; ) {
    skills[ids.skills.add(each.text())] = { value: each.integer(), answers: each.integer() };
  }
  reader.end();
  return { ...own, ids, skills };
}

function writeLocal(local: EloLocal, writer: ByteWriter): void {
  for (const { value, answers } of [local, ...local.skills]) {
    writer.int(value);
    writer.uint(answers);
  }
}

function readLocal(reader: ByteReader, ids: LearnerIds): EloLocal {
  const rating = (): Rating => ({ value: reader.int(), answers: reader.uint() });
  return { ...rating(), ids, skills: ids.skills.list.map(rating) };
}

/** Multi-skill Elo: the plain baseline, abilities and easinesses that each answer moves towards its outcome. */
export const elo: LearnerModel<EloWeights, EloLocal> = {
  name: "elo",
  newWeights: () => ({ items: new Map(), skills: new Map() }),
  newLocal: (ids = newLearnerIds()) => ({ value: 0, answers: 0, ids, skills: [] }),
  predict: (weights, local, question) => predict(weights, local, question, skillSet(question.skillIds)),
  explain,
  prepare: (weights, questions) => {
    const asked = questions.map((question) => ({ question, skillIds: skillSet(question.skillIds) }));
    return {
      forLearner: (local) => (number) => {
        const { question, skillIds } = asked[number] as (typeof asked)[number];
        return predict(weights, local, question, skillIds);
      },
    };
  },
  observe: (weights, local, answer) => fold(weights, local, answer, false),
  learn: (weights, local, answer) => fold(weights, local, answer, true),
  difficulty,
  encodeWeights,
  encodePublished: encodeWeights,
  decodeWeights,
  localToJson,
  localFromJson,
  writeLocal,
  readLocal,
  practiceOf: () => undefined,
  attemptsAt: () => 0,
};
