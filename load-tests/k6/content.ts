import { check } from "k6";
import { Counter, Rate } from "k6/metrics";
import { vaultSkill } from "./latent.ts";
import { settings } from "./settings.ts";

/** What an answer must never hold, and what it must. Speed without these is worth nothing. */

const violations = new Counter("content_violations");
const freshAnswers = new Rate("fresh_answers");
const retired = new Set(settings.retired);
const barred = new Set(settings.barred);
const skillsOf = new Map(settings.items.map(({ itemId, skillIds }) => [itemId, skillIds]));
/** Mastery is rounded to four places where it is shown. */
const rounding = 0.0002;

export interface NextList {
  readonly learnerId: string;
  readonly source: "personal" | "popular" | "stale";
  readonly revision: number;
  readonly computed?: "precomputed" | "on_demand";
  readonly fresh?: boolean;
  readonly selectionId?: string;
  readonly trackId?: string | null;
  readonly items: readonly { readonly itemId: string; readonly p: number }[];
}

export interface Scores {
  readonly revision: number;
  readonly skills: readonly { readonly skillId: string; readonly mastery: number }[];
}

const shown = new Set<string>();

/** Counts the check, and what breaks it; the first of each that a virtual user sees is printed with what was found. */
export function hold(name: string, ok: boolean, found: () => unknown): boolean {
  check(null, { [name]: () => ok });
  if (!ok) {
    violations.add(1, { kind: name });
    if (!shown.has(name)) console.error(`${name}: ${JSON.stringify(found())}`);
    shown.add(name);
  }
  return ok;
}

export interface Asked {
  readonly learnerId: string;
  readonly count: number;
  readonly exclude?: readonly string[];
  readonly track?: string;
}

/** Holds for every list, whoever asks. */
export function checkList(list: NextList, { learnerId, count, exclude = [], track }: Asked): void {
  const ids = list.items.map(({ itemId }) => itemId);
  const found = () => ({ learnerId, exclude, track, list });
  const without = (unwanted: (id: string) => boolean) => !ids.some(unwanted);
  hold("the list is of the learner asked for", list.learnerId === learnerId, found);
  hold("no more items than asked for, none twice", ids.length <= count && new Set(ids).size === ids.length, found);
  hold(
    "p is a probability",
    list.items.every(({ p }) => p >= 0 && p <= 1),
    found,
  );
  hold(
    "no retired item",
    without((id) => retired.has(id)),
    found,
  );
  hold(
    "no excluded item",
    without((id) => exclude.includes(id)),
    found,
  );
  hold(
    "no item behind the locked door",
    without((id) => skillsOf.get(id)?.includes(vaultSkill) === true),
    found,
  );
  if (track !== undefined) {
    hold(
      "no item that the track bars",
      without((id) => barred.has(id)),
      found,
    );
  }
}

/** The list asked with `after=`, the token of the answer to `itemId`; `before` is the list that was answered. */
export function checkFresh(list: NextList, before: NextList, itemId: string): void {
  freshAnswers.add(list.fresh === true);
  if (list.fresh !== true) return;
  const found = () => ({ itemId, before: before.revision, list });
  hold("a fresh list includes the answer", list.revision > before.revision, found);
  hold(
    "a fresh list does not ask again what was just answered",
    !list.items.some((item) => item.itemId === itemId),
    found,
  );
}

/** Every prerequisite of what is served is held, by the mastery that the same revision shows. */
export function checkLocks(list: NextList, scores: Scores): void {
  if (scores.revision !== list.revision || list.source !== "personal") return;
  const mastery = new Map(scores.skills.map((skill) => [skill.skillId, skill.mastery]));
  const locked = list.items.flatMap(({ itemId }) =>
    (skillsOf.get(itemId) ?? []).flatMap((skillId) =>
      Object.entries(settings.prerequisites[skillId] ?? {}).flatMap(([id, share]) => {
        const held = mastery.get(id) ?? 0;
        return held + rounding < settings.prerequisiteThreshold * share ? [{ itemId, prerequisite: id, held }] : [];
      }),
    ),
  );
  hold("no item with a prerequisite that is not held", locked.length === 0, () => ({
    learner: list.learnerId,
    locked,
  }));
}
