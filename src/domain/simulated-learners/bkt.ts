import { logit } from "../learner-model/sigmoid.ts";
import type { SimulatedItem } from "./course.ts";
import { type Knowledge, type KnowledgeSource, logistic } from "./knowledge.ts";

/**
 * Bayesian Knowledge Tracing (Corbett, Anderson 1995): a skill is known or not; each item is a chance to learn it; a
 * known one is shown but for slips, an unknown one is guessed now and then.
 */
export interface BktParameters {
  /** P(L0) of a skill without prerequisites, and of one whose prerequisites are known. */
  readonly known: { readonly first: number; readonly later: number };
  /** P(T) of a learner of ability 0, while the prerequisites are known. */
  readonly learn: number;
  /** P(T) is so much of that while they are not. */
  readonly learnUnready: number;
  /** P(S) and P(G) of a learner of ability 0 on an item of difficulty 0. */
  readonly slip: number;
  readonly guess: number;
  /** What ability adds, per logit: to `known` (first, later), to `learn`, and to the logits of slip and guess. */
  readonly ability: { first: number; later: number; learn: number; slip: number; guess: number };
  /** What difficulty adds to the logit of a slip and takes from that of a guess, per logit. */
  readonly difficulty: number;
  /** Chance that a day of rest loses a known skill. */
  readonly forgetPerDay: number;
}

/** The plain model: all learners and items alike, nothing forgotten. */
export const plainBkt: BktParameters = {
  known: { first: 0.2, later: 0.1 },
  learn: 0.17,
  learnUnready: 0.2,
  slip: 0.1,
  guess: 0.2,
  ability: { first: 0, later: 0, learn: 0, slip: 0, guess: 0 },
  difficulty: 0,
  forgetPerDay: 0,
};

/** A school class: learners and items differ, and what rests is lost now and then. The class of the demo. */
export const schoolBkt: BktParameters = {
  known: { first: 0.35, later: 0.12 },
  learn: 0.16,
  learnUnready: 0.2,
  slip: logistic(-2.4),
  guess: logistic(-1.2),
  ability: { first: 0.15, later: 0.08, learn: 0.05, slip: -0.4, guess: 0.3 },
  difficulty: 0.6,
  forgetPerDay: 1 / 150,
};

/** `known` stands for the draw of what is known at first. */
export function newBktKnowledge(
  source: KnowledgeSource,
  parameters: BktParameters = plainBkt,
  known: ReadonlySet<string> = knownAtFirst(source, parameters),
): Knowledge {
  const { skills, ability, random } = source;
  const now = new Set(known);
  const prerequisites = new Map(skills.map((skill) => [skill.skillId, skill.prerequisites]));
  const learn = Math.min(0.6, Math.max(0.03, parameters.learn + parameters.ability.learn * ability));
  const slipLogit = logit(parameters.slip) + parameters.ability.slip * ability;
  const guessLogit = logit(parameters.guess) + parameters.ability.guess * ability;

  const knows = (item: SimulatedItem): boolean => item.skillIds.every((id) => now.has(id));
  const chance = (item: SimulatedItem): number => {
    const harder = parameters.difficulty * (item.difficulty ?? 0);
    return knows(item) ? 1 - logistic(slipLogit + harder) : logistic(guessLogit - harder);
  };
  return {
    rest(days) {
      if (days < 0.5 || parameters.forgetPerDay === 0) return;
      const lost = Math.min(0.2, days * parameters.forgetPerDay);
      for (const id of [...now]) if (random() < lost) now.delete(id);
    },
    recall: (item) => ({ p: chance(item), fluency: knows(item) ? 1 : 0 }),
    practise(item) {
      const learnt = item.skillIds.filter((skillId) => {
        const ready = (prerequisites.get(skillId) ?? []).every((p) => now.has(p.skillId));
        return random() < learn * (ready ? 1 : parameters.learnUnready) && !now.has(skillId);
      });
      for (const skillId of learnt) now.add(skillId);
    },
    successChance: chance,
    masters: (skillId) => now.has(skillId),
  };
}

function knownAtFirst({ skills, ability, random }: KnowledgeSource, { known: share, ability: slopes }: BktParameters) {
  const known = new Set<string>();
  for (const { skillId, prerequisites } of skills) {
    const ready = prerequisites.every((p) => known.has(p.skillId));
    const first = prerequisites.length === 0;
    const chance = first ? share.first + slopes.first * ability : share.later + slopes.later * ability;
    if (random() < (ready ? chance : 0)) known.add(skillId);
  }
  return known;
}
