import { type ItemFields, policySchema, type SkillFields, type TrackFields } from "../../domain/events.ts";
import { type ExercisedSkill, exercises, stories } from "./course-exercises.ts";

/**
 * The demo course: school algebra, from sums of integers to quadratic equations. Made by code, so that it is short to
 * read; the same on every machine.
 */
export interface Course {
  readonly skills: readonly SkillFields[];
  readonly items: readonly ItemFields[];
  readonly tracks: readonly TrackFields[];
}

interface Topic {
  readonly title: string;
  readonly chapter: "numbers" | "fractions" | "expressions" | "equations" | "functions";
  /** Skills to hold before, with the share of the threshold that is asked of each. */
  readonly after: Partial<Record<ExercisedSkill, number>>;
}

const topics: Record<ExercisedSkill, Topic> = {
  "integer-sums": { title: "Adding and subtracting integers", chapter: "numbers", after: {} },
  "integer-products": {
    title: "Multiplying and dividing integers",
    chapter: "numbers",
    after: { "integer-sums": 1 },
  },
  "order-of-operations": { title: "Order of operations", chapter: "numbers", after: { "integer-products": 1 } },
  powers: { title: "Powers", chapter: "numbers", after: { "integer-products": 1 } },
  "simplifying-fractions": {
    title: "Simplifying fractions",
    chapter: "fractions",
    after: { "integer-products": 0.8 },
  },
  "adding-fractions": { title: "Adding fractions", chapter: "fractions", after: { "simplifying-fractions": 1 } },
  "multiplying-fractions": {
    title: "Multiplying and dividing fractions",
    chapter: "fractions",
    after: { "simplifying-fractions": 1 },
  },
  percentages: { title: "Percentages", chapter: "fractions", after: { "multiplying-fractions": 0.8 } },
  "evaluating-expressions": {
    title: "Evaluating expressions",
    chapter: "expressions",
    after: { "order-of-operations": 1 },
  },
  "like-terms": { title: "Collecting like terms", chapter: "expressions", after: { "evaluating-expressions": 0.8 } },
  "expanding-brackets": { title: "Expanding brackets", chapter: "expressions", after: { "like-terms": 1 } },
  "one-step-equations": {
    title: "One-step equations",
    chapter: "equations",
    after: { "evaluating-expressions": 0.8 },
  },
  "two-step-equations": { title: "Two-step equations", chapter: "equations", after: { "one-step-equations": 1 } },
  "equations-both-sides": {
    title: "Equations with the unknown on both sides",
    chapter: "equations",
    after: { "two-step-equations": 1, "like-terms": 0.9 },
  },
  "equations-with-fractions": {
    title: "Equations with fractions",
    chapter: "equations",
    after: { "two-step-equations": 1, "multiplying-fractions": 0.9 },
  },
  inequalities: { title: "Linear inequalities", chapter: "equations", after: { "two-step-equations": 1 } },
  "slope-and-intercept": {
    title: "Slope and intercept of a line",
    chapter: "functions",
    after: { "two-step-equations": 0.9, "simplifying-fractions": 0.6 },
  },
  "systems-of-equations": {
    title: "Systems of two linear equations",
    chapter: "functions",
    after: { "equations-both-sides": 1 },
  },
  factorising: { title: "Factorising", chapter: "expressions", after: { "expanding-brackets": 1 } },
  "quadratic-equations": {
    title: "Quadratic equations",
    chapter: "functions",
    after: { factorising: 1, "two-step-equations": 0.9, powers: 0.6 },
  },
};

const exercisesOfSkill = 12;
const storiesOfKind = 4;
/** From the easiest of a skill to its hardest, logits. */
const easiest = -1.5;
const hardest = 1.5;

const skillIds = Object.keys(topics) as ExercisedSkill[];
const numbers = skillIds.filter((id) => ["numbers", "fractions"].includes(topics[id].chapter));

export const course: Course = {
  skills: skillIds.map((skillId) => ({
    skillId,
    title: topics[skillId].title,
    prerequisites: Object.entries(topics[skillId].after).map(([id, weight]) => ({ skillId: id, weight })),
  })),
  items: [...skillIds.flatMap(exercisesOf), ...stories.flatMap((_, index) => storiesAt(index))],
  tracks: [
    {
      trackId: "algebra",
      title: "Algebra, from integers to quadratic equations",
      itemIds: [],
      skillIds: [],
      policy: policySchema.parse({}),
      pinnedItemIds: [],
      barredItemIds: [],
    },
    {
      trackId: "numbers",
      title: "Numbers and fractions, a gentle refresher",
      itemIds: [],
      skillIds: numbers,
      policy: policySchema.parse({ targetSuccess: 0.85, reviewShare: 0.5, itemKinds: ["exercise"] }),
      pinnedItemIds: [],
      barredItemIds: [],
    },
  ],
};

function exercisesOf(skillId: ExercisedSkill): ItemFields[] {
  return Array.from({ length: exercisesOfSkill }, (_, place) => ({
    itemId: `${skillId}-${place + 1}`,
    title: exercises[skillId](place),
    skillIds: [skillId],
    kind: "exercise",
    difficulty: difficultyAt(place, exercisesOfSkill),
    tags: [topics[skillId].chapter],
  }));
}

function storiesAt(index: number): ItemFields[] {
  const story = stories[index];
  if (story === undefined) return [];
  const [skillId = "integer-sums"] = story.skillIds;
  return Array.from({ length: storiesOfKind }, (_, place) => ({
    itemId: `${skillId}-story-${place + 1}`,
    title: story.tell(place),
    skillIds: [...story.skillIds],
    kind: "story",
    difficulty: difficultyAt(place + storiesOfKind, 2 * storiesOfKind),
    tags: [topics[skillId].chapter, "story"],
  }));
}

function difficultyAt(place: number, count: number): number {
  return Math.round((easiest + ((hardest - easiest) * place) / (count - 1)) * 100) / 100;
}
