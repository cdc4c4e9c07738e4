import { exposureCap } from "./exposure.ts";
import { ItemMarks } from "./item-marks.ts";
import { lacking } from "./mastered.ts";
import { withRules } from "./rules.ts";
import type { BankItem, BankSkill, Reason, SelectionInput } from "./selection.ts";

export type SkillStatus = "locked" | "open" | "mastered";

/** What of the bank this learner may be given now. Worked out as asked for, each skill once. */
export interface Scope {
  readonly input: SelectionInput;
  /** The skills asked for (all, unless `onlySkillIds`), prerequisites first. */
  readonly skills: readonly BankSkill[];
  /** Items done within the do-not-repeat window. */
  readonly recent: Pick<ItemMarks, "has">;
  /** Items that the list may hold: the size asked for, or what the session has left. */
  readonly places: number;
  /** Time that the session has left, milliseconds; null where the policy sets none. */
  readonly leftMs: number | null;
  /** Nothing was done in the session yet. */
  readonly sessionIsNew: boolean;
  /** What the item is likely to take the learner, milliseconds. */
  expectedMs(item: BankItem): number;
  mastery(skill: BankSkill): number;
  status(skill: BankSkill): SkillStatus;
  /** Bits of the rules by which a skill that is mastered by its probability counts as open; else 0. */
  unproven(skill: BankSkill): number;
  /**
   * The success to aim at for the skill: the policy's, or that of the skill's typical item where it is lower. Easier items
   * would please, and prove little. Hard items where these are what its mastery lacks.
   */
  targetFor(skill: BankSkill): number;
  /** Within the skills asked for, and not excluded. */
  wanted(item: BankItem): boolean;
  /** No skill of the item waits for a prerequisite. */
  unlocked(item: BankItem): boolean;
  /** The items without a skill; where nothing is kept fresh, those not done yet. */
  withoutSkill(): readonly BankItem[];
  /** It has an open skill, or none and was not done yet: it is more than keeping fresh. */
  teaches(item: BankItem): boolean;
  /** Bits of the rules of exposure that refuse the item, else 0; null where the policy has none. */
  readonly capped: ((item: BankItem) => number) | null;
  /** Milliseconds since 1970 from which on an item that was refused may be given; Infinity where none is known. */
  refusedUntil(): number;
  /** Why an item of this skill is given, where that is all there is to say. */
  reason(skill: BankSkill): Reason;
}

/** Of the selection in hand: they do not overlap. */
const recent = new ItemMarks();

/** The same of its skills, by their index: which were looked up, and what was found. To make arrays for each takes longer. */
const looked = new ItemMarks();
const judged = new ItemMarks();
let masteries = new Float64Array(64);
const judgements: SkillStatus[] = [];

function beginSkills(skills: number): void {
  looked.begin(skills);
  judged.begin(skills);
  if (skills > masteries.length) masteries = new Float64Array(2 * skills);
}

export function scopeOf(input: SelectionInput): Scope {
  const { bank, policy, excludedItemIds: excluded } = input;
  const only = input.onlySkillIds === undefined ? null : new Set(input.onlySkillIds);
  const skills = only === null ? bank.skills : bank.skills.filter((skill) => only.has(skill.skillId));
  markRecent(input);
  const exposure = exposureCap(input);
  const { mastery, status, unproven, targetFor, unlocked, reason } = skillsOf(input);
  const { places, leftMs, sessionIsNew, expectedMs } = budgetOf(input);
  const isDone = (item: BankItem): boolean => (input.done?.(item).times ?? 0) > 0;
  // Name by name: a spread of each part takes longer than much of the selection.
  return {
    input,
    skills,
    recent,
    places,
    leftMs,
    sessionIsNew,
    expectedMs,
    mastery,
    status,
    unproven,
    targetFor,
    unlocked,
    reason,
    wanted: (item) =>
      (only === null || item.skillIds.some((id) => only.has(id))) && excluded?.has(item.itemId) !== true,
    withoutSkill: () => (policy.maintenance ? bank.withoutSkill : bank.withoutSkill.filter((item) => !isDone(item))),
    teaches: (item) =>
      item.skillIndexes.length === 0
        ? !isDone(item)
        : item.skillIndexes.some((at) => {
            const skill = bank.skills[at];
            return skill !== undefined && status(skill) === "open";
          }),
    capped: exposure.refusing,
    refusedUntil: exposure.until,
  };
}

function budgetOf({ policy: { sessionBudget }, size, session }: SelectionInput) {
  const { minutes, items } = sessionBudget;
  const usual = session?.expectedMs ?? expectedMsDefault;
  return {
    places: items === null ? size : Math.max(0, Math.min(size, items - (session?.items ?? 0))),
    leftMs: minutes === null ? null : Math.max(0, minutes * 60_000 - (session?.ms ?? 0)),
    sessionIsNew: (session?.items ?? 0) === 0 && (session?.ms ?? 0) === 0,
    expectedMs: ({ expectedSeconds }: BankItem): number =>
      expectedSeconds === undefined ? usual : expectedSeconds * 1000,
  };
}

/** The item in the middle of the skill's difficulties. */
export const typicalItem = ({ items }: BankSkill): BankItem | undefined => items[items.length >> 1];

/** What an item takes where nobody knows. */
export const expectedMsDefault = 60_000;

function skillsOf(
  input: SelectionInput,
): Pick<Scope, "mastery" | "status" | "unproven" | "targetFor" | "unlocked" | "reason"> {
  const { bank, policy, now } = input;
  const { masteryThreshold, masteryNeeds, targetSuccess } = policy;
  beginSkills(bank.skills.length);
  const reasons: (Reason | undefined)[] = [];

  const mastery = (skill: BankSkill): number => {
    if (looked.has(skill.index)) return masteries[skill.index] as number;
    const { p } = input.mastery(skill.skillId);
    looked.add(skill.index);
    masteries[skill.index] = p;
    return p;
  };
  const holds = (skillId: string, threshold: number): boolean => {
    const skill = bank.skill.get(skillId);
    return skill === undefined || mastery(skill) >= threshold;
  };
  const lacksHard = (skill: BankSkill): boolean =>
    (input.mastery(skill.skillId).hard ?? 0) < masteryNeeds.hardAnswersMin;
  const unproven = (skill: BankSkill): number =>
    mastery(skill) < masteryThreshold ? 0 : lacking(input.mastery(skill.skillId), policy, now);
  const work = (skill: BankSkill): SkillStatus => {
    for (const { skillId, weight } of skill.prerequisites) {
      if (!holds(skillId, policy.prerequisiteThreshold * weight)) return "locked";
    }
    return mastery(skill) >= masteryThreshold && unproven(skill) === 0 ? "mastered" : "open";
  };
  const status = (skill: BankSkill): SkillStatus => {
    if (judged.has(skill.index)) return judgements[skill.index] as SkillStatus;
    const worked = work(skill);
    judged.add(skill.index);
    judgements[skill.index] = worked;
    return worked;
  };
  return {
    mastery,
    status,
    unproven,
    targetFor(skill) {
      const target =
        unproven(skill) !== 0 && lacksHard(skill) ? Math.min(targetSuccess, masteryNeeds.pMax) : targetSuccess;
      const typical = typicalItem(skill);
      return typical === undefined ? target : Math.min(target, input.predict(typical));
    },
    unlocked({ skillIndexes }) {
      for (let at = 0; at < skillIndexes.length; at++) {
        const skill = bank.skills[skillIndexes[at] as number];
        if (skill !== undefined && status(skill) === "locked") return false;
      }
      return true;
    },
    reason(skill) {
      const known = reasons[skill.index];
      if (known !== undefined) return known;
      const code = status(skill) === "mastered" ? "maintenance" : "open_skill";
      const plain = { code, skillId: skill.skillId, mastery: mastery(skill) } as const;
      const reason = withRules(plain, unproven(skill));
      reasons[skill.index] = reason;
      return reason;
    },
  };
}

function markRecent({ bank, policy, recentItemIds }: SelectionInput): void {
  recent.begin(bank.allItems.length);
  const last = Math.min(policy.doNotRepeat, recentItemIds.length);
  for (let age = 0; age < last; age++) {
    const item = bank.items.get(recentItemIds[age] as string);
    if (item !== undefined) recent.add(item.index);
  }
}
