import type { SkillFields } from "../events.ts";
import type { Skill } from "./catalogue.ts";
import { type Decision, defined, refused, retired, says, unchanged } from "./decision.ts";
import { findCycle, type Prerequisite } from "./skill-graph.ts";

/**
 * Decides definitions that were sent together: one may ask for another of them, before or after it. One that cannot
 * stand is refused, and so is whatever asks for it and has nothing else to lean on; the others stand. A skill given
 * twice is decided in the order given. Decisions are in input order.
 */
export function decideSkills(asked: readonly SkillFields[], skills: ReadonlyMap<string, Skill>): Decision[] {
  const refusals = new Map<number, Decision>();
  while (refuseUnknown(asked, skills, refusals) || refuseCycles(asked, skills, refusals)) {
    // A refusal may leave others without what they ask for.
  }
  const latest = new Map<string, Pick<Skill, "retired">>(skills);
  return asked.map((skill, index) => {
    const refusal = refusals.get(index);
    if (refusal !== undefined) return refusal;
    const before = latest.get(skill.skillId);
    if (stands(before, skill)) return unchanged;
    latest.set(skill.skillId, { ...skill, retired: false });
    return defined({ type: "SkillDefined", data: skill }, before);
  });
}

export function decideRetireSkill(skillId: string, skill: Skill | undefined): Decision {
  if (skill === undefined) return refused("unknown_skill", `there is no skill "${skillId}"`, "skillId");
  return skill.retired ? unchanged : retired({ type: "SkillRetired", data: { skillId } });
}

function stands(skill: Pick<Skill, "retired"> | undefined, asked: SkillFields): boolean {
  return skill !== undefined && !skill.retired && says(skill, asked);
}

/** Returns whether it refused any. */
function refuseUnknown(
  asked: readonly SkillFields[],
  skills: ReadonlyMap<string, Skill>,
  refusals: Map<number, Decision>,
): boolean {
  const together = new Set(asked.filter((_, index) => !refusals.has(index)).map((skill) => skill.skillId));
  const known = (id: string): boolean => together.has(id) || skills.get(id)?.retired === false;
  const before = refusals.size;
  for (const [index, skill] of asked.entries()) {
    if (refusals.has(index) || stands(skills.get(skill.skillId), skill)) continue;
    const at = skill.prerequisites.findIndex(({ skillId }) => !known(skillId));
    const id = skill.prerequisites[at]?.skillId;
    if (id === undefined) continue;
    const why = skills.has(id) ? "is retired" : "is not defined";
    refusals.set(index, refused("unknown_skill", `skill "${id}" ${why}`, `prerequisites.${at}.skillId`));
  }
  return refusals.size > before;
}

/** Takes the definitions in order and refuses the one that closes a cycle. Returns whether it refused any. */
function refuseCycles(
  asked: readonly SkillFields[],
  skills: ReadonlyMap<string, Skill>,
  refusals: Map<number, Decision>,
): boolean {
  const changed = new Map<string, readonly Prerequisite[]>();
  const prerequisitesOf = (id: string): readonly Prerequisite[] => {
    const skill = skills.get(id);
    return changed.get(id) ?? (skill === undefined || skill.retired ? [] : skill.prerequisites);
  };
  const before = refusals.size;
  for (const [index, skill] of asked.entries()) {
    if (refusals.has(index) || stands(skills.get(skill.skillId), skill)) continue;
    const cycle = findCycle(skill.skillId, skill.prerequisites, prerequisitesOf);
    if (cycle === null) {
      changed.set(skill.skillId, skill.prerequisites);
      continue;
    }
    const detail = `prerequisites form a cycle: ${cycle.join(" -> ")} (each asks for the next)`;
    refusals.set(index, refused("skill_cycle", detail, "prerequisites"));
  }
  return refusals.size > before;
}
