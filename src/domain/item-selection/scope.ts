import { ItemMarks } from "./item-marks.ts";
import type { BankItem, BankSkill, Reason, SelectionInput } from "./selection.ts";

export type SkillStatus = "locked" | "open" | "mastered";

/** What of the bank this learner may be given now. Worked out as asked for, each skill once. */
export interface Scope {
  readonly input: SelectionInput;
  /** The skills asked for (all, unless `onlySkillIds`), prerequisites first. */
  readonly skills: readonly BankSkill[];
  /** Items done within the do-not-repeat window. */
  readonly recent: Pick<ItemMarks, "has">;
  mastery(skill: BankSkill): number;
  status(skill: BankSkill): SkillStatus;
  /** Within the skills asked for. */
  wanted(item: BankItem): boolean;
  /** No skill of the item waits for a prerequisite. */
  unlocked(item: BankItem): boolean;
  /** Why an item of this skill is given, where that is all there is to say. */
  reason(skill: BankSkill): Reason;
}

/** Of the selection in hand: they do not overlap. */
const recent = new ItemMarks();

const unknown = 0;
const statuses: readonly SkillStatus[] = ["locked", "open", "mastered"];

export function scopeOf(input: SelectionInput): Scope {
  const { bank, policy } = input;
  const only = input.onlySkillIds === undefined ? null : new Set(input.onlySkillIds);
  const skills = only === null ? bank.skills : bank.skills.filter((skill) => only.has(skill.skillId));
  const masteries = new Float64Array(bank.skills.length).fill(-1);
  const codes = new Uint8Array(bank.skills.length);

  const mastery = (skill: BankSkill): number => {
    const known = masteries[skill.index] ?? -1;
    if (known >= 0) return known;
    const { p } = input.mastery(skill.skillId);
    masteries[skill.index] = p;
    return p;
  };
  const holds = (skillId: string, threshold: number): boolean => {
    const skill = bank.skill.get(skillId);
    return skill === undefined || mastery(skill) >= threshold;
  };
  const work = (skill: BankSkill): SkillStatus => {
    for (const { skillId, weight } of skill.prerequisites) {
      if (!holds(skillId, policy.prerequisiteThreshold * weight)) return "locked";
    }
    return mastery(skill) >= policy.masteryThreshold ? "mastered" : "open";
  };
  const status = (skill: BankSkill): SkillStatus => {
    const code = codes[skill.index] ?? unknown;
    if (code !== unknown) return statuses[code - 1] ?? "locked";
    const worked = work(skill);
    codes[skill.index] = statuses.indexOf(worked) + 1;
    return worked;
  };
  const reasons: (Reason | undefined)[] = [];
  markRecent(input);
  return {
    input,
    skills,
    recent,
    mastery,
    status,
    wanted: (item) => only === null || item.skillIds.some((id) => only.has(id)),
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
      const reason = { code, skillId: skill.skillId, mastery: mastery(skill) } as const;
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
