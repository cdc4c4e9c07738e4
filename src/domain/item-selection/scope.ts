import type { Item } from "../item-bank/catalogue.ts";
import type { BankSkill, SelectionInput } from "./selection.ts";

export type SkillStatus = "locked" | "open" | "mastered";

/** What of the bank this learner may be given now. Worked out as asked for, each skill once. */
export interface Scope {
  readonly input: SelectionInput;
  /** The skills asked for (all, unless `onlySkillIds`), prerequisites first. */
  readonly skills: readonly BankSkill[];
  /** Items done within the do-not-repeat window. */
  readonly recent: ReadonlySet<string>;
  mastery(skill: BankSkill): number;
  status(skill: BankSkill): SkillStatus;
  /** Within the skills asked for. */
  wanted(item: Item): boolean;
  /** No skill of the item waits for a prerequisite. */
  unlocked(item: Item): boolean;
}

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
  return {
    input,
    skills,
    recent: new Set(input.recentItemIds.slice(0, policy.doNotRepeat)),
    mastery,
    status,
    wanted: (item) => only === null || item.skillIds.some((id) => only.has(id)),
    unlocked(item) {
      for (const skillId of item.skillIds) {
        const skill = bank.skill.get(skillId);
        if (skill !== undefined && status(skill) === "locked") return false;
      }
      return true;
    },
  };
}
