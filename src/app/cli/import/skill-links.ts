import type { SkillLink } from "../../../adapters/item-bank-files/qti-manifest.ts";
import type { Skill } from "../../../domain/item-bank/catalogue.ts";

/** Skills of the catalogue by their id and by what they are called elsewhere. Retired ones are not found. */
export interface SkillNames {
  /** The skill's id; null where no skill, or more than one, bears the name. */
  find(name: string): string | null;
  /** By any name of the link: its GUID, its URI (whole, or the GUID it ends with), its label. */
  resolve(link: SkillLink): string | null;
}

export function skillNames(skills: ReadonlyMap<string, Skill>): SkillNames {
  const byName = new Map<string, string | null>();
  for (const { skillId, externalIds, retired } of skills.values()) {
    if (retired) continue;
    for (const name of externalIds ?? []) {
      const before = byName.get(name);
      byName.set(name, before === undefined || before === skillId ? skillId : null);
    }
  }
  // An id is a name before all others.
  for (const { skillId, retired } of skills.values()) if (!retired) byName.set(skillId, skillId);
  const find = (name: string): string | null => byName.get(name) ?? null;
  return {
    find,
    resolve({ guid, uri, label }) {
      const names = [guid, uri, uri?.split("/").at(-1), label];
      for (const name of names) {
        const found = name ? find(name) : null;
        if (found !== null) return found;
      }
      return null;
    },
  };
}

/** A link as people know it: "3.NF.A.1 (af23c1...)". */
export function nameOfLink({ guid, uri, label }: SkillLink): string {
  const id = (guid ?? uri ?? "").slice(0, 200);
  if (label === null) return id;
  return id === "" ? label.slice(0, 200) : `${label.slice(0, 100)} (${id})`;
}
