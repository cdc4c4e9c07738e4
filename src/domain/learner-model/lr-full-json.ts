import { JsonReader } from "./json-reader.ts";
import { type FullSkill, type LrFullLocal, lrFullName } from "./lr-full-types.ts";
import { localToJson as liteToJson, readLite } from "./lr-json.ts";
import { noOutcomes } from "./outcome-pattern.ts";

/**
 * The elements of lr-json.ts, then [fast, slow, pattern, [fast, slow, pattern, at of each skill, ...], [pattern of each
 * item that was answered, ...]].
 */
export function localToJson(local: LrFullLocal): unknown[] {
  const skills = local.skills.flatMap(({ fast, slow, pattern, at }) => [fast, slow, pattern, at]);
  const items = local.itemPatterns.filter((pattern) => pattern !== noOutcomes);
  return [...liteToJson(local), [local.fast, local.slow, local.pattern, skills, items]];
}

/** What came before them is not in JSON: then the rest is written in full. */
const patternsFrom = (pattern: number): Pick<FullSkill, "pattern" | "history"> => ({ pattern, history: pattern });

/** Throws an Error that names the element that {@link localToJson} did not write. */
export function localFromJson(json: unknown): LrFullLocal {
  const reader = new JsonReader(json, `${lrFullName} state`);
  const lite = readLite(reader);
  const rest = reader.array();
  const [fast, slow, pattern] = [rest.integer(), rest.integer(), rest.integer()];
  const ofSkills = rest.array();
  const skills: FullSkill[] = lite.skills.map((own) => ({
    ...own,
    fast: ofSkills.integer(),
    slow: ofSkills.integer(),
    ...patternsFrom(ofSkills.integer()),
    at: ofSkills.integer(),
  }));
  const ofItems = rest.array();
  const itemPatterns = lite.items.map(() => ofItems.integer());
  for (const each of [ofSkills, ofItems, rest, reader]) each.end();
  return { ...lite, skills, fast, slow, pattern, itemPatterns };
}
