import { logit } from "../learner-model/sigmoid.ts";
import type { SimulatedItem } from "./course.ts";
import { type Knowledge, type KnowledgeSource, logistic } from "./knowledge.ts";

/**
 * Forgetting by a power law (Wickelgren 1974; Wixted, Carpenter 2007): a skill once learnt is recalled after t days of rest
 * with probability (1 + c t / stability) ^ -decay, c such that it is .9 after `stability` days. Recall after a rest makes it
 * more stable, the more so the harder it was (the spacing effect: Cepeda and others 2006); failure makes it less stable.
 */
export interface ForgettingParameters {
  /** P(known) of a skill whose prerequisites are known, before the first item. */
  readonly known: number;
  /** Chance to learn an unlearnt skill from an item, of a learner of ability 0; what ability adds per logit. */
  readonly learn: number;
  readonly learnAbility: number;
  /** The chance is so much of that while a prerequisite cannot be recalled. */
  readonly learnUnready: number;
  readonly decay: number;
  /** Days until recall is .9, of what was just learnt by a learner of ability 0; each logit multiplies by 1 + `stabilityAbility`. */
  readonly stability: number;
  readonly stabilityAbility: number;
  /** Recall multiplies stability by 1 + gain x (1 - R) + 1 / 10, R being the chance it had; up to `stabilityMax` days. */
  readonly gain: number;
  readonly stabilityMax: number;
  /** Failure to recall multiplies it by this. */
  readonly loss: number;
  readonly slip: number;
  readonly guess: number;
  /** What difficulty adds to the logit of a slip and takes from that of a guess, per logit. */
  readonly difficulty: number;
  /** A skill is mastered while its chance of recall is at least this. */
  readonly mastery: number;
}

export const forgettingDefaults: ForgettingParameters = {
  known: 0.15,
  learn: 0.2,
  learnAbility: 0.04,
  learnUnready: 0,
  decay: 0.5,
  stability: 2,
  stabilityAbility: 0.2,
  gain: 12,
  stabilityMax: 365,
  loss: 0.5,
  slip: 0.08,
  guess: 0.2,
  difficulty: 0.3,
  mastery: 0.8,
};

interface Trace {
  /** Days. */
  stability: number;
  /** Days since it was last practised. */
  rested: number;
}

/** P(recall) after `days` of rest. */
export function powerLawRecall(days: number, stability: number, decay: number): number {
  const scale = 0.9 ** (-1 / decay) - 1;
  return (1 + (scale * days) / stability) ** -decay;
}

export function newForgettingKnowledge(
  { skills, ability, random }: KnowledgeSource,
  parameters: ForgettingParameters = forgettingDefaults,
): Knowledge {
  const { decay, gain, loss, mastery } = parameters;
  const traces = new Map<string, Trace>();
  const prerequisites = new Map(skills.map((skill) => [skill.skillId, skill.prerequisites]));
  const learn = Math.min(0.6, Math.max(0.03, parameters.learn + parameters.learnAbility * ability));
  const firstStability = Math.max(0.3, parameters.stability * (1 + parameters.stabilityAbility * ability));
  /** Skills of the item in hand that could not be recalled. */
  const failed = new Set<string>();

  const recallOf = (skillId: string, days = 0): number => {
    const trace = traces.get(skillId);
    return trace === undefined ? 0 : powerLawRecall(trace.rested + days, trace.stability, decay);
  };
  const masters = (skillId: string, days = 0): boolean => recallOf(skillId, days) >= mastery;
  const isReady = (skillId: string): boolean => (prerequisites.get(skillId) ?? []).every((p) => masters(p.skillId));
  const shown = (knows: boolean, { difficulty = 0 }: SimulatedItem): number => {
    const harder = parameters.difficulty * difficulty;
    return knows ? 1 - logistic(logit(parameters.slip) + harder) : logistic(logit(parameters.guess) - harder);
  };
  for (const { skillId } of skills) {
    const known = random() < (isReady(skillId) ? parameters.known : 0);
    if (known) traces.set(skillId, { stability: 5 * firstStability, rested: 0 });
  }
  return {
    rest(days) {
      for (const trace of traces.values()) trace.rested += days;
    },
    recall(item) {
      failed.clear();
      for (const skillId of item.skillIds) if (random() >= recallOf(skillId)) failed.add(skillId);
      return { p: shown(failed.size === 0, item), fluency: failed.size === 0 ? 1 : 0 };
    },
    practise(item) {
      for (const skillId of item.skillIds) {
        const trace = traces.get(skillId);
        if (trace === undefined) {
          if (random() < learn * (isReady(skillId) ? 1 : parameters.learnUnready)) {
            traces.set(skillId, { stability: firstStability, rested: 0 });
          }
          continue;
        }
        const growth = failed.has(skillId) ? loss : 1.1 + gain * (1 - recallOf(skillId));
        const least = Math.min(trace.stability, firstStability / 2);
        trace.stability = Math.max(least, Math.min(parameters.stabilityMax, trace.stability * growth));
        trace.rested = 0;
      }
    },
    successChance(item, days) {
      const recalled = item.skillIds.reduce((p, skillId) => p * recallOf(skillId, days), 1);
      return recalled * shown(true, item) + (1 - recalled) * shown(false, item);
    },
    masters,
  };
}
