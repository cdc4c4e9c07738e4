import { attemptsOf, noCounts, packCounts, winsOf } from "./counts.ts";
import { newLearnerIds } from "./ids.ts";
import { JsonReader } from "./json-reader.ts";
import type { LocalSkill, LrLocal } from "./lr-types.ts";

/**
 * Flat arrays of ids and whole numbers: [wins, attempts, ability, recent, last item, last skills,
 * [skill, wins, attempts, ability, recent, ...], [item, wins, attempts, ...]]. Skills and items stand in the order in
 * which the learner met them. LR-full's state has an element more, see lr-full-json.ts.
 */
export function localToJson(local: LrLocal): unknown[] {
  const itemIds = local.ids.items.list;
  const skillIds = local.ids.skills.list;
  const skills: (string | number)[] = [];
  for (const [number, own] of local.skills.entries()) {
    skills.push(skillIds[number] ?? "", own.wins, own.attempts, own.ability, own.recent);
  }
  const items: (string | number)[] = [];
  for (const [number, counts] of local.items.entries()) {
    if (counts !== noCounts) items.push(itemIds[number] ?? "", winsOf(counts), attemptsOf(counts));
  }
  const { wins, attempts, ability, recent, lastItem, lastSkills } = local;
  const last = [itemIds[lastItem] ?? null, lastSkills.map((number) => skillIds[number] ?? "")];
  return [wins, attempts, ability, recent, ...last, skills, items];
}

/** Throws an Error that names the element that {@link localToJson} did not write. */
export function localFromJson(json: unknown): LrLocal {
  const reader = new JsonReader(json, "lr-lite state");
  const local = readLite(reader);
  reader.end();
  return local;
}

export function readLite(reader: JsonReader): LrLocal {
  const ids = newLearnerIds();
  const own = readOwn(reader);
  const lastItemId = reader.textOrNull();
  const lastSkillIds = reader.texts();
  const skills: LocalSkill[] = [];
  for (const each = reader.array(); each.more; ) skills[ids.skills.add(each.text())] = readOwn(each);
  const items: number[] = [];
  for (const each = reader.array(); each.more; ) {
    items[ids.items.add(each.text())] = packCounts(each.integer(), each.integer());
  }
  const lastItem = lastItemId === null ? -1 : ids.items.find(lastItemId);
  return { ...own, ids, lastItem, lastSkills: lastSkillIds.map((id) => ids.skills.find(id)), skills, items };
}

const readOwn = (reader: JsonReader): LocalSkill => ({
  wins: reader.integer(),
  attempts: reader.integer(),
  ability: reader.integer(),
  recent: reader.integer(),
});
