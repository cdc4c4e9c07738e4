import { type Random, standardNormal } from "../random.ts";

/** What a simulated learner needs to know of a skill and of an item; the catalogue's have more. */
export interface SimulatedSkill {
  readonly skillId: string;
  readonly prerequisites: readonly { readonly skillId: string }[];
}
export interface SimulatedItem {
  readonly itemId: string;
  readonly skillIds: readonly string[];
  /** Logits, 0 when left out. */
  readonly difficulty?: number | undefined;
}

export const graphNames = ["chain", "tree", "none"] as const;
/** How skills build on each other: each on the one before, two on each, or none on any. */
export type GraphName = (typeof graphNames)[number];

export interface CourseItem extends SimulatedItem {
  readonly difficulty: number;
  /** What its author takes it for, logits. */
  readonly guessedDifficulty: number;
}

export interface SimulatedCourse {
  /** Prerequisites first. */
  readonly skills: readonly SimulatedSkill[];
  readonly items: readonly CourseItem[];
}

export interface CourseOptions {
  readonly skills: number;
  readonly itemsPerSkill: number;
  readonly graph: GraphName;
  /** Standard deviation of the difficulties, logits. */
  readonly spread: number;
  /** Standard deviation of what their author guesses too low or too high, logits. */
  readonly authorError: number;
}

/** Skills `s1`, `s2`, ... with items of one skill each, `s1-i1`, ..., of normally spread difficulty. */
export function makeCourse(options: CourseOptions, random: Random): SimulatedCourse {
  const skills = Array.from({ length: options.skills }, (_, index) => {
    const below = prerequisiteOf[options.graph](index);
    return { skillId: skillIdOf(index), prerequisites: below === null ? [] : [{ skillId: skillIdOf(below) }] };
  });
  const items = skills.flatMap(({ skillId }) =>
    Array.from({ length: options.itemsPerSkill }, (_, index) => {
      const difficulty = thousandths(options.spread * standardNormal(random));
      const guessedDifficulty = thousandths(difficulty + options.authorError * standardNormal(random));
      return { itemId: `${skillId}-i${index + 1}`, skillIds: [skillId], difficulty, guessedDifficulty };
    }),
  );
  return { skills, items };
}

const thousandths = (x: number): number => Math.round(x * 1000) / 1000;
const skillIdOf = (index: number): string => `s${index + 1}`;

const prerequisiteOf: Record<GraphName, (index: number) => number | null> = {
  chain: (index) => (index === 0 ? null : index - 1),
  tree: (index) => (index === 0 ? null : Math.floor((index - 1) / 2)),
  none: () => null,
};
