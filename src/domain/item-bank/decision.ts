import type { EventData } from "../events.ts";

/** An event of the catalogue that is not stored yet. */
export type CatalogueEvent = {
  [T in CatalogueEventType]: { readonly type: T; readonly data: EventData<T> };
}[CatalogueEventType];

type CatalogueEventType =
  | "ItemPublished"
  | "ItemRevised"
  | "ItemRetired"
  | "SkillDefined"
  | "SkillRetired"
  | "TrackDefined"
  | "TrackRetired";

/** Codes of refusals: stable, documented with the API's problems. */
export type RefusalCode =
  | "unknown_item"
  | "unknown_skill"
  | "unknown_track"
  | "skill_cycle"
  | "contradictory_policy"
  | "experiment_taken"
  | "experiment_changed";

/** What a command comes to: `published` is new or back from retirement, `unchanged` stood so already. */
export type Decision =
  | { readonly status: "published" | "revised" | "retired"; readonly events: readonly [CatalogueEvent] }
  | { readonly status: "unchanged"; readonly events: readonly [] }
  | {
      readonly status: "refused";
      readonly code: RefusalCode;
      readonly detail: string;
      /** The field that is wrong, "skillIds.2"; "" for the whole command. */
      readonly path: string;
    };

export const unchanged: Decision = { status: "unchanged", events: [] };

export const retired = (event: CatalogueEvent): Decision => ({ status: "retired", events: [event] });

/** `before`: the entry as it stands. */
export const defined = (event: CatalogueEvent, before: { readonly retired: boolean } | undefined): Decision => ({
  status: before === undefined || before.retired ? "published" : "revised",
  events: [event],
});

export const refused = (code: RefusalCode, detail: string, path = ""): Decision => ({
  status: "refused",
  code,
  detail,
  path,
});

/** Whether an entry says all that is asked for: plain data, deep, keys in any order, those not asked for ignored. */
export function says(entry: object, asked: object): boolean {
  return Object.entries(asked).every(([key, value]) => same((entry as Record<string, unknown>)[key], value));
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const keys = Object.keys(a);
  if (Array.isArray(a) !== Array.isArray(b) || keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}

export const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** Decides retirements in order; of one given twice, the second changes nothing. */
export function decideRetirements<E extends { readonly retired: boolean }>(
  ids: readonly string[],
  entries: ReadonlyMap<string, E>,
  decide: (id: string, entry: E | undefined) => Decision,
): Decision[] {
  const done = new Set<string>();
  return ids.map((id) => {
    const entry = entries.get(id);
    const decision = decide(id, entry !== undefined && done.has(id) ? { ...entry, retired: true } : entry);
    done.add(id);
    return decision;
  });
}
