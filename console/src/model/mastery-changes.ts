import type { ScoresAnswer } from "../api/answers.ts";

export interface MasteryChange {
  readonly skillId: string;
  readonly title: string;
  /** null: nothing was known of it. */
  readonly before: number | null;
  readonly after: number;
}

/** Less is not seen in a percentage. */
const visible = 0.005;

/** Skills whose mastery moved between two answers, the largest move first. */
export function masteryChanges(
  before: Pick<ScoresAnswer, "skills"> | null,
  after: Pick<ScoresAnswer, "skills">,
): MasteryChange[] {
  const known = new Map((before?.skills ?? []).map(({ skillId, mastery }) => [skillId, mastery]));
  return after.skills
    .map(({ skillId, title, mastery }) => ({ skillId, title, before: known.get(skillId) ?? null, after: mastery }))
    .filter((change) => sizeOf(change) >= visible)
    .sort((a, b) => sizeOf(b) - sizeOf(a));
}

const sizeOf = ({ before, after }: MasteryChange): number => (before === null ? 1 : Math.abs(after - before));
