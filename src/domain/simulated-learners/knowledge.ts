import type { Random } from "../random.ts";
import type { SimulatedItem, SimulatedSkill } from "./course.ts";

/**
 * What a simulated learner knows, and how that changes: the hidden truth of one generator. Updated in place, by the random
 * numbers it was made with.
 */
export interface Knowledge {
  /** Time goes on: called before an item is put, with the days since the one before. */
  rest(days: number): void;
  /** An item is put, and thought about: this is where recall may fail. */
  recall(item: SimulatedItem): Recall;
  /** The item was worked on. */
  practise(item: SimulatedItem): void;
  /** P(correct), 0..1, if the item were put `days` after the last one, with care and without a hint. Changes nothing. */
  successChance(item: SimulatedItem, days: number): number;
  /** Whether the skill is truly mastered `days` after the last item. Changes nothing. */
  masters(skillId: string, days: number): boolean;
}

export interface Recall {
  /** P(correct), 0..1, with care and without a hint. */
  readonly p: number;
  /** How surely it is known, 0..1: makes answers fast and hints few. */
  readonly fluency: number;
}

/** What the knowledge of a learner is made of. */
export interface KnowledgeSource {
  readonly skills: readonly SimulatedSkill[];
  /** Logits; a class is spread as a standard normal. */
  readonly ability: number;
  readonly random: Random;
}

export const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
