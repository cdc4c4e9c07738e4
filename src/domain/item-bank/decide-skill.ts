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

/** The optional fields count too: one that is no longer given is a revision. */
function stands(skill: Pick<Skill, "retired"> | undefined, asked: SkillFields): boolean {
  const { difficulty, externalIds, parentIds, source } = asked;
  return skill !== undefined && !skill.retired && says(skill, { ...asked, difficulty, externalIds, parentIds, source });
}

/** Refuses what asks for a skill that nobody defines, and what leans on it. Returns whether it refused any. */
function refuseUnknown(
  asked: readonly SkillFields[],
  skills: ReadonlyMap<string, Skill>,
  refusals: Map<number, Decision>,
): boolean {
  const before = refusals.size;
  const definitions = new Map<string, number>();
  const askers = new Map<string, number[]>();
  for (const [index, { skillId, prerequisites }] of asked.entries()) {
    if (refusals.has(index)) continue;
    definitions.set(skillId, (definitions.get(skillId) ?? 0) + 1);
    for (const needed of prerequisites) {
      const those = askers.get(needed.skillId);
      if (those === undefined) askers.set(needed.skillId, [index]);
      else those.push(index);
    }
  }
  const toCheck = [...asked.keys()];
  for (let index = toCheck.pop(); index !== undefined; index = toCheck.pop()) {
    const skill = asked[index];
    if (skill === undefined || refusals.has(index) || stands(skills.get(skill.skillId), skill)) continue;
    const refusal = missingPrerequisite(skill, definitions, skills);
    if (refusal === null) continue;
    refusals.set(index, refusal);
    const left = (definitions.get(skill.skillId) ?? 1) - 1;
    definitions.set(skill.skillId, left);
    if (left === 0) toCheck.push(...(askers.get(skill.skillId) ?? []));
  }
  return refusals.size > before;
}

/** `definitions`: how many that are sent together define each skill. */
function missingPrerequisite(
  { prerequisites }: SkillFields,
  definitions: ReadonlyMap<string, number>,
  skills: ReadonlyMap<string, Skill>,
): Decision | null {
  for (const [at, { skillId }] of prerequisites.entries()) {
    if ((definitions.get(skillId) ?? 0) > 0 || skills.get(skillId)?.retired === false) continue;
    const why = skills.has(skillId) ? "is retired" : "is not defined";
    return refused("unknown_skill", `skill "${skillId}" ${why}`, `prerequisites.${at}.skillId`);
  }
  return null;
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
  // Only a skill that something asks for can be part of a cycle: the others need no search.
  const askedFor = new Set<string>();
  const note = (prerequisites: readonly Prerequisite[]): void => {
    for (const { skillId } of prerequisites) askedFor.add(skillId);
  };
  for (const { prerequisites } of skills.values()) note(prerequisites);
  const before = refusals.size;
  for (const [index, skill] of asked.entries()) {
    if (refusals.has(index) || stands(skills.get(skill.skillId), skill)) continue;
    note(skill.prerequisites);
    const cycle = askedFor.has(skill.skillId) ? findCycle(skill.skillId, skill.prerequisites, prerequisitesOf) : null;
    if (cycle === null) {
      changed.set(skill.skillId, skill.prerequisites);
      continue;
    }
    const detail = `prerequisites form a cycle: ${cycle.join(" -> ")} (each asks for the next)`;
    refusals.set(index, refused("skill_cycle", detail, "prerequisites"));
  }
  return refusals.size > before;
}
