import type { LearnerIds } from "./ids.ts";
import type { Weight } from "./weight.ts";

export const lrLiteName = "lr-lite";

/** In the order in which they are stored. */
export const sharedNames = [
  "bias",
  "skillWins",
  "skillAttempts",
  "itemWins",
  "itemAttempts",
  "wins",
  "attempts",
  "recent",
  "skillRecent",
  "sameItem",
  "sharedSkill",
] as const;
export type SharedWeights = Readonly<Record<(typeof sharedNames)[number], Weight>>;

/** In the order in which they are stored. */
export const skillNames = ["level", "wins", "attempts", "recent"] as const;
export type SkillWeights = Readonly<Record<(typeof skillNames)[number], Weight>>;

export interface LrLiteWeights {
  readonly shared: SharedWeights;
  readonly items: Map<string, Weight>;
  readonly skills: Map<string, SkillWeights>;
}

/** What a learner did with one skill. Whole numbers; units of ability and recent in fixed-point.ts. */
export interface LocalSkill {
  wins: number;
  attempts: number;
  ability: number;
  recent: number;
}

/** What a learner did at all. */
export interface LrLiteLocal extends LocalSkill {
  readonly ids: LearnerIds;
  /** Number of the item answered last, and of its skills; -1 and none before the first answer. */
  lastItem: number;
  lastSkills: readonly number[];
  /** By the skill's number. */
  readonly skills: LocalSkill[];
  /** By the item's number: wins and attempts, packed as in counts.ts. None yet for an item that was only looked at. */
  readonly items: number[];
}
