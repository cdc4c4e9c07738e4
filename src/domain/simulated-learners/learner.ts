import { type Random, standardNormal } from "../random.ts";
import type { SimulatedItem, SimulatedSkill } from "./course.ts";
import { type GeneratorName, newKnowledge } from "./generators.ts";
import type { Knowledge } from "./knowledge.ts";

/**
 * Learners that are not there: what one knows is a hidden truth, by one of the generators; how it shows (slips, guesses,
 * hints, skips, response times) is the same for all of them. Updated in place. Pure: everything is a function of the
 * options and the random numbers, so the same seed gives the same learner, who does the same with the same items.
 */
export interface SimulatedLearner {
  readonly learnerId: string;
  readonly traits: Traits;
  /**
   * Puts an item to the learner at a time (milliseconds since 1970; one before the last counts as the last). What they did,
   * in order; the last is always an answer or a skip.
   */
  attempt(item: SimulatedItem, at: number): readonly SimulatedAct[];
  /** P(correct), 0..1, of an item put at that time, without a hint. Changes nothing. */
  successChance(item: SimulatedItem, at: number): number;
  /** Whether the skill is truly mastered at that time. Changes nothing. */
  masters(skillId: string, at: number): boolean;
}

export interface Traits {
  /** Logits; a class is spread as a standard normal. */
  readonly ability: number;
  /** Factor on response times. */
  readonly pace: number;
  /** How soon hints are asked for, 0..1. */
  readonly asksForHints: number;
  /** Share of answers, 0..1, that are given in haste and wrong, whatever is known. */
  readonly carelessness: number;
  /** Misses sittings: schedule.ts. */
  readonly absent: boolean;
}

/** What the learner did with one item. */
export interface SimulatedAct {
  readonly kind: "view" | "hint" | "answer" | "skip" | "rating";
  readonly correct?: boolean;
  readonly rating?: number;
  readonly durationMs?: number;
  readonly hintCount?: number;
}

export interface LearnerOptions {
  readonly learnerId: string;
  readonly generator: GeneratorName;
  /** Prerequisites first. */
  readonly skills: readonly SimulatedSkill[];
  /** All draws of this learner, from the first to the last. */
  readonly random: Random;
  /** When the learner arrives, milliseconds since 1970: what was known then has rested since. */
  readonly from: number;
  /** Shares, 0..1, of learners who are careless and who are often absent; none when left out. */
  readonly careless?: number;
  readonly absent?: number;
  /** Instead of what the generator would draw. */
  readonly knowledge?: (traits: Pick<Traits, "ability">) => Knowledge;
}

/** Of a careless learner. */
const carelessness = 0.15;
const dayMs = 86_400_000;

export function newSimulatedLearner(options: LearnerOptions): SimulatedLearner {
  const { learnerId, generator, skills, random, careless = 0, absent = 0 } = options;
  const ability = standardNormal(random);
  const knowledge = options.knowledge?.({ ability }) ?? newKnowledge(generator, { skills, ability, random });
  const pace = Math.max(0.5, 1 - 0.2 * ability + 0.2 * standardNormal(random));
  const traits: Traits = {
    ability,
    pace,
    asksForHints: random() * 0.6,
    carelessness: careless > 0 && random() < careless ? carelessness : 0,
    absent: absent > 0 && random() < absent,
  };
  let last = options.from;
  const daysTo = (at: number): number => Math.max(0, at - last) / dayMs;
  return {
    learnerId,
    traits,
    attempt(item, at) {
      knowledge.rest(daysTo(at));
      last = Math.max(last, at);
      return work(knowledge, traits, item, random);
    },
    successChance: (item, at) => (1 - traits.carelessness) * knowledge.successChance(item, daysTo(at)),
    masters: (skillId, at) => knowledge.masters(skillId, daysTo(at)),
  };
}

/** From here on the learner is more likely to know than not, and asks for few hints. */
const sure = 0.5;

function work(knowledge: Knowledge, traits: Traits, item: SimulatedItem, random: Random): SimulatedAct[] {
  const { p, fluency } = knowledge.recall(item);
  const knows = fluency >= sure;
  const { durationMs, views } = timing(traits, item, fluency, random);
  if (!knows && random() < 0.02 + 0.01 * Math.max(0, item.difficulty ?? 0)) {
    return [{ kind: "skip", durationMs: Math.round(durationMs / 3) }];
  }
  if (traits.carelessness > 0 && random() < traits.carelessness) {
    knowledge.practise(item);
    return [{ kind: "answer", correct: false, durationMs: Math.round(durationMs / 4), hintCount: 0 }];
  }
  const hintCount = hintsAsked(traits, knows, random);
  const correct = random() < (knows ? p : Math.min(Math.max(p, 0.9), p + 0.12 * hintCount));
  const acts: SimulatedAct[] = [];
  if (views) acts.push({ kind: "view", durationMs: Math.round(durationMs * 0.6) });
  if (hintCount > 0) acts.push({ kind: "hint" });
  if (random() < 0.01)
    acts.push({ kind: "rating", rating: knows ? 4 + Math.round(random()) : 2 + Math.round(random()) });
  acts.push({ kind: "answer", correct, durationMs, hintCount });
  knowledge.practise(item);
  return acts;
}

function hintsAsked({ asksForHints }: Traits, knows: boolean, random: Random): number {
  const chance = knows ? asksForHints * 0.1 : asksForHints;
  let hints = 0;
  while (hints < 3 && random() < chance) hints += 1;
  return hints;
}

/** Some 14 seconds for what is known and 26 for what is not, and now and then a look at the material first. */
function timing(
  { pace }: Traits,
  item: SimulatedItem,
  fluency: number,
  random: Random,
): { durationMs: number; views: boolean } {
  const spread = Math.max(0.3, 1 + 0.35 * standardNormal(random));
  const seconds = (26 - 12 * fluency) * pace * (1 + 0.15 * (item.difficulty ?? 0)) * spread;
  const views = random() < 0.06 && fluency < sure;
  return { durationMs: Math.max(1200, Math.round(seconds * 1000)), views };
}
