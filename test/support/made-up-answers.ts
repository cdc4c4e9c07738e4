import type { LoggedAnswer } from "../../src/domain/learner-model/answer-of.ts";
import { mulberry32 } from "../../src/domain/random.ts";

/** A log in the shape of one kind of course. */
export interface LogShape {
  readonly learners: number;
  /** Of each learner, on average; some give several times as many, some a few. */
  readonly answers: number;
  readonly items: number;
  readonly skills: number;
  /** Shares of the items that have two skills, and none. */
  readonly twoSkills?: number;
  readonly withoutSkill?: number;
  readonly timed?: boolean;
}

/**
 * Learners who stay with a skill for some answers, get better at it, forget it with time, guess and slip. Abilities,
 * skills and items are normally distributed logits. Rows stand learner by learner.
 */
export function madeUpLog(shape: LogShape, seed = 1): LoggedAnswer[] {
  const random = mulberry32(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
  const levels = Array.from({ length: shape.skills }, () => 0.5 + 0.9 * normal());
  const items = Array.from({ length: shape.items }, (_, number) => {
    const first = number % shape.skills;
    const second = random() < (shape.twoSkills ?? 0) ? [(first + 1) % shape.skills] : [];
    const skills = random() < (shape.withoutSkill ?? 0) ? [] : [first, ...second];
    return { itemId: `i${number}`, skills, skillIds: skills.map((skill) => `s${skill}`), easy: 0.8 * normal() };
  });
  return Array.from({ length: shape.learners }, (_, learner) => learner).flatMap((learner) => {
    const ability = 0.9 * normal();
    const held = new Map<number, { level: number; practised: number; at: number }>();
    let at = 1_600_000_000_000 + Math.floor(random() * 2e9);
    let skill = Math.floor(random() * shape.skills);
    const count = Math.max(2, Math.round(shape.answers * Math.exp(0.7 * normal() - 0.25)));
    return Array.from({ length: count }, () => {
      if (random() < 0.15) skill = Math.floor(random() * shape.skills);
      at += random() < 0.05 ? 86_400_000 * (1 + random()) : 20_000 + Math.floor(60_000 * random());
      const ofSkill = Math.floor((shape.items - 1 - skill) / shape.skills) + 1;
      const item = items[skill + shape.skills * Math.floor(ofSkill * random() ** 1.5)] as (typeof items)[number];
      let logit = ability + item.easy;
      for (const one of item.skills) {
        const own = held.get(one) ?? { level: (levels[one] ?? 0) + 0.4 * normal(), practised: 0, at };
        const forgotten = shape.timed === true ? 0.15 * Math.log1p((at - own.at) / 3_600_000) : 0;
        logit += (own.level + 0.3 * Math.log1p(own.practised) - forgotten) / item.skills.length;
        held.set(one, { ...own, practised: own.practised + 1, at });
      }
      const correct = random() < 0.08 + 0.87 / (1 + Math.exp(-logit));
      const { itemId, skillIds } = item;
      return {
        learnerId: `u${learner}`,
        itemId,
        skillIds,
        correct,
        at: shape.timed === true ? Math.floor(at) : 0,
        split: null,
      };
    });
  });
}

/** As courses differ; those of public data sets, a tenth to a quarter of their size. */
export const logShapes: Readonly<Record<"few-items" | "sparse" | "long" | "no-skills", LogShape>> = {
  "few-items": { learners: 1_000, answers: 35, items: 100, skills: 100 },
  sparse: { learners: 600, answers: 60, items: 9_000, skills: 120, twoSkills: 0.2, withoutSkill: 0.1 },
  long: { learners: 60, answers: 600, items: 3_000, skills: 100, twoSkills: 0.4, timed: true },
  "no-skills": { learners: 300, answers: 120, items: 2_000, skills: 1, withoutSkill: 1 },
};

/** Nearly a million answers. */
export const largeShape: LogShape = {
  learners: 20_000,
  answers: 50,
  items: 50_000,
  skills: 1_000,
  twoSkills: 0.3,
  withoutSkill: 0.05,
  timed: true,
};
