import type { LearnerIds } from "./ids.ts";
import { numbersOfWeight, type WeightTable } from "./weight.ts";

/** Where weight k of a row or of the shared weights stands, counted from its beginning. */
const at = (k: number): number => k * numbersOfWeight;

/** Shared weights of LR-lite, in the order in which they are stored. LR-full has more after them. */
export const shared = {
  bias: at(0),
  skillWins: at(1),
  skillAttempts: at(2),
  itemWins: at(3),
  itemAttempts: at(4),
  wins: at(5),
  attempts: at(6),
  recent: at(7),
  skillRecent: at(8),
  sameItem: at(9),
  sharedSkill: at(10),
} as const;
export const sharedWidth = 11;

/** Of an item, how easy it is; LR-full has more after it. */
export const itemWidth = 1;

/** Weights of a skill. */
export const ofSkill = { level: at(0), wins: at(1), attempts: at(2), recent: at(3) } as const;
export const skillWidth = 4;

export interface LrWeights {
  readonly shared: Float64Array;
  readonly items: WeightTable;
  readonly skills: WeightTable;
}

/** What a learner did with one skill. Whole numbers; units of ability and recent in fixed-point.ts. */
export interface LocalSkill {
  wins: number;
  attempts: number;
  ability: number;
  recent: number;
}

/** What a learner did at all. */
export interface LrLocal<Skill extends LocalSkill = LocalSkill> extends LocalSkill {
  readonly ids: LearnerIds;
  /** Number of the item answered last, and of its skills; -1 and none before the first answer. */
  lastItem: number;
  lastSkills: readonly number[];
  /** By the skill's number. */
  readonly skills: Skill[];
  /** By the item's number: wins and attempts, packed as in counts.ts. None yet for an item that was only looked at. */
  readonly items: number[];
}

export const newLocalSkill = (): LocalSkill => ({ wins: 0, attempts: 0, ability: 0, recent: 0 });

export const newLrLocal = (ids: LearnerIds): LrLocal => ({
  ...newLocalSkill(),
  ids,
  lastItem: -1,
  lastSkills: [],
  skills: [],
  items: [],
});

/** How fast weights and abilities move, see docs/learner-model.md. */
export interface LrRates {
  /** Adagrad's rates. */
  readonly item: number;
  readonly skill: number;
  readonly shared: number;
  readonly skillSlope: number;
  /** Of a learner's ability, after so many answers. */
  readonly ability: (answers: number) => number;
  readonly skillAbility: (answers: number) => number;
}
