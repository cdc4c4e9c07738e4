import type { InteractionRecorded, Policy } from "../../domain/events.ts";
import { isMastered } from "../../domain/item-selection/mastered.ts";
import { type ItemsSeen, meetItem, noItemsSeen, noteAnswer, noteHint } from "../../domain/learner/items-seen.ts";
import { answerOf } from "../../domain/learner-model/answer-of.ts";
import { foldMastery } from "../../domain/learner-model/fold-mastery.ts";
import { type Guessing, newGuessing } from "../../domain/learner-model/guessing.ts";
import { type LearnerIds, newLearnerIds } from "../../domain/learner-model/ids.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import type { Mastery } from "../../domain/learner-model/mastery.ts";
import { skillSet } from "../../domain/learner-model/skill-set.ts";
import { hashOf } from "./learner-rows.ts";

/** A learner as far as reports ask: what serves has memory cards, sessions and recent items beside that. */
export interface ReportLearner {
  readonly id: string;
  /** From 0, in the order of the log. */
  readonly number: number;
  readonly hash: number;
  readonly ids: LearnerIds;
  readonly local: unknown;
  readonly items: ItemsSeen;
  /** By the skill's number among the learner's ids. */
  readonly mastery: Mastery[];
  readonly guessing: Guessing;
  /** Highest mastery there ever was, and whether it was ever enough for the track's policy. */
  readonly peaks: number[];
  readonly mastered: boolean[];
}

export interface AnswerObservation {
  readonly correct: boolean;
  /** Probability 0..1 predicted before it was learnt. */
  readonly p: number;
  /** The learner's first answer to this item. */
  readonly first: boolean;
  readonly hinted: boolean;
  readonly durationMs: number | null;
  /** The skills it counts for, each once, and how many answers to each the learner had given before. */
  readonly skills: readonly { readonly skillId: string; readonly before: number }[];
}

/** One interaction, and what it did. */
export interface Observation {
  readonly learner: ReportLearner;
  readonly data: InteractionRecorded;
  /** When it happened, milliseconds since 1970. */
  readonly at: number;
  /** null for one that is not an answer. */
  readonly answer: AnswerObservation | null;
}

export function newReportLearner(id: string, number: number, model: LearnerModel): ReportLearner {
  const ids = newLearnerIds();
  return {
    id,
    number,
    hash: hashOf(id),
    ids,
    local: model.newLocal(ids),
    items: noItemsSeen(),
    mastery: [],
    guessing: newGuessing(),
    peaks: [],
    mastered: [],
  };
}

export interface FollowContext {
  readonly model: LearnerModel;
  /** Learnt by each answer, in place. */
  readonly weights: unknown;
  readonly policy: Policy;
}

/** Folds the learner's next interaction in, in place. */
export function followLearner(
  learner: ReportLearner,
  data: InteractionRecorded,
  { model, weights, policy }: FollowContext,
): Observation {
  const at = Date.parse(data.occurredAt);
  const item = learner.ids.items.add(data.itemId);
  meetItem(learner.items, item);
  if (data.kind === "hint") noteHint(learner.items, item);
  const answer = answerOf(data);
  if (answer === null) return { learner, data, at, answer: null };
  const { correct } = answer;
  const p = model.learn(weights, learner.local, answer);
  const { first, hinted: asked } = noteAnswer(learner.items, item);
  const hinted = asked || (data.hintCount ?? 0) > 0;
  const numbers = skillSet(answer.skillIds).map((skillId) => learner.ids.skills.add(skillId));
  const seenBefore = numbers.map((skill) => learner.mastery[skill]?.n ?? 0);
  const { pMax } = policy.masteryNeeds;
  foldMastery(learner, numbers, { correct, hinted, p, difficulty: answer.difficulty, at, pMax }, { model, weights });
  const skills = numbers.map((skill, place) => {
    const after = learner.mastery[skill] as Mastery;
    learner.peaks[skill] = Math.max(learner.peaks[skill] ?? 0, after.p);
    learner.mastered[skill] = learner.mastered[skill] === true || isMastered(after, policy, at);
    return { skillId: learner.ids.skills.list[skill] as string, before: seenBefore[place] as number };
  });
  return { learner, data, at, answer: { correct, p, first, hinted, durationMs: data.durationMs ?? null, skills } };
}
