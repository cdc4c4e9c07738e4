import { attemptsOf, packCounts, winsOf } from "./counts.ts";
import { JsonReader } from "./json-reader.ts";
import type { LocalSkill, LrLiteLocal } from "./lr-lite-types.ts";

/**
 * Flat arrays of ids and whole numbers: [wins, attempts, ability, recent, last item, last skills,
 * [skill, wins, attempts, ability, recent, ...], [item, wins, attempts, ...]]. Skills and items stand in the order in
 * which the learner met them.
 */
export function localToJson(local: LrLiteLocal): unknown {
  const skills: (string | number)[] = [];
  for (const [id, own] of local.skills) skills.push(id, own.wins, own.attempts, own.ability, own.recent);
  const items: (string | number)[] = [];
  for (const [id, counts] of local.items) items.push(id, winsOf(counts), attemptsOf(counts));
  const { wins, attempts, ability, recent, lastItemId, lastSkillIds } = local;
  return [wins, attempts, ability, recent, lastItemId, lastSkillIds, skills, items];
}

/** Throws an Error that names the element that {@link localToJson} did not write. */
export function localFromJson(json: unknown): LrLiteLocal {
  const reader = new JsonReader(json, "lr-lite state");
  const own = readOwn(reader);
  const lastItemId = reader.textOrNull();
  const lastSkillIds = reader.texts();
  const skills = new Map<string, LocalSkill>();
  for (const each = reader.array(); each.more; ) skills.set(each.text(), readOwn(each));
  const items = new Map<string, number>();
  for (const each = reader.array(); each.more; ) items.set(each.text(), packCounts(each.integer(), each.integer()));
  reader.end();
  return { ...own, lastItemId, lastSkillIds, skills, items };
}

const readOwn = (reader: JsonReader): LocalSkill => ({
  wins: reader.integer(),
  attempts: reader.integer(),
  ability: reader.integer(),
  recent: reader.integer(),
});
