import type { Candidate, Search } from "./candidates.ts";
import type { Ranked } from "./ranking.ts";
import type { Scope } from "./scope.ts";
import type { Reason, SelectedItem } from "./selection.ts";

/** A list in the making. */
export interface Draft {
  readonly scope: Scope;
  readonly selected: SelectedItem[];
  /** Ids of the items in it. */
  readonly taken: Set<string>;
  /** Accepts what may still be given: wanted, unlocked, not in the list, not done recently. */
  readonly search: Search;
}

export interface DraftOptions {
  readonly target: number;
  /** False: measuring, where prerequisites are ignored. */
  readonly unlockedOnly: boolean;
  /** True: nothing else is left, so what was done recently may be given again. */
  readonly repeats?: boolean;
}

export function newDraft(scope: Scope, { target, unlockedOnly, repeats = false }: DraftOptions): Draft {
  const taken = new Set<string>();
  const { predict } = scope.input;
  const search: Search = {
    target,
    predict,
    accept: (item) =>
      !taken.has(item.itemId) &&
      (repeats || !scope.recent.has(item.itemId)) &&
      scope.wanted(item) &&
      (!unlockedOnly || scope.unlocked(item)),
  };
  return { scope, selected: [], taken, search };
}

export const roomIn = ({ scope, selected }: Draft): number => scope.input.size - selected.length;

export function add(draft: Draft, item: SelectedItem): void {
  draft.selected.push(item);
  draft.taken.add(item.itemId);
}

export function selectedItem(candidate: Candidate, score: number, propensity: number, reason: Reason): SelectedItem {
  return { itemId: candidate.item.itemId, p: candidate.p, score, propensity, reason };
}

/** Fills the list from a ranking, nothing drawn at random. */
export function addRanked(draft: Draft, next: () => Ranked | null, reasonFor: (candidate: Candidate) => Reason): void {
  while (roomIn(draft) > 0) {
    const ranked = next();
    if (ranked === null) return;
    add(draft, selectedItem(ranked.candidate, ranked.score, 1, reasonFor(ranked.candidate)));
  }
}
