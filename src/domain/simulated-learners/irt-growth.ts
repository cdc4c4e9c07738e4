import { logit } from "../learner-model/sigmoid.ts";
import { standardNormal } from "../random.ts";
import type { SimulatedItem } from "./course.ts";
import { type Knowledge, type KnowledgeSource, logistic } from "./knowledge.ts";

/**
 * Item response theory with growth: each skill has a level in logits, practice takes it part of the way to a ceiling, and
 * P(correct) = guess + (1 - guess - slip) x logistic(level - difficulty), the four-parameter logistic model (Barton, Lord
 * 1981) with equal discriminations.
 */
export interface IrtGrowthParameters {
  /** Level at first of a learner of ability 0, what ability adds per logit, and the spread between skills. */
  readonly start: { readonly level: number; readonly ability: number; readonly spread: number };
  readonly ceiling: number;
  /** Share of the way to the ceiling that one item takes a learner of ability 0, and what ability adds per logit. */
  readonly growth: { readonly rate: number; readonly ability: number };
  /**
   * Growth is so much of that while a prerequisite is hardly there (logistic(level) <= `readyFrom`), all of it once it is
   * mastered, and in between in proportion.
   */
  readonly growthUnready: number;
  readonly readyFrom: number;
  readonly guess: number;
  readonly slip: number;
  /** A skill is mastered when logistic(level) is this: of careful answers to items of difficulty 0, with slips and guesses left out. */
  readonly mastery: number;
}

export const irtGrowthDefaults: IrtGrowthParameters = {
  start: { level: -1.2, ability: 0.6, spread: 0.5 },
  ceiling: 3.5,
  growth: { rate: 0.1, ability: 0.02 },
  growthUnready: 0.1,
  readyFrom: 0.3,
  guess: 0.15,
  slip: 0.04,
  mastery: 0.8,
};

export function newIrtGrowthKnowledge(
  { skills, ability, random }: KnowledgeSource,
  parameters: IrtGrowthParameters = irtGrowthDefaults,
): Knowledge {
  const { start, ceiling, growth, growthUnready, guess, slip } = parameters;
  const levels = new Map(
    skills.map(({ skillId }) => [
      skillId,
      start.level + start.ability * ability + start.spread * standardNormal(random),
    ]),
  );
  const prerequisites = new Map(skills.map((skill) => [skill.skillId, skill.prerequisites]));
  const rate = Math.max(0.02, growth.rate + growth.ability * ability);
  const masteryLevel = logit(parameters.mastery);

  const levelOf = (skillId: string): number => levels.get(skillId) ?? start.level;
  const masters = (skillId: string): boolean => levelOf(skillId) >= masteryLevel;
  const readiness = (skillId: string): number => {
    const weakest = Math.min(1, ...(prerequisites.get(skillId) ?? []).map((p) => logistic(levelOf(p.skillId))));
    const ready = (weakest - parameters.readyFrom) / (parameters.mastery - parameters.readyFrom);
    return Math.max(growthUnready, Math.min(1, ready));
  };
  /** The weakest skill of an item decides. */
  const shown = ({ skillIds, difficulty = 0 }: SimulatedItem): number =>
    logistic(Math.min(ceiling, ...skillIds.map(levelOf)) - difficulty);
  const chance = (item: SimulatedItem): number => guess + (1 - guess - slip) * shown(item);
  return {
    rest() {},
    recall: (item) => ({ p: chance(item), fluency: shown(item) }),
    practise(item) {
      const grown = item.skillIds.map((skillId) => {
        const level = levelOf(skillId);
        return [skillId, level + rate * readiness(skillId) * Math.max(0, ceiling - level)] as const;
      });
      for (const [skillId, level] of grown) levels.set(skillId, level);
    },
    successChance: chance,
    masters,
  };
}
