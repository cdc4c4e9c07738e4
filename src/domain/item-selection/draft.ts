import type { Candidate, Search } from "./candidates.ts";
import { ItemMarks } from "./item-marks.ts";
import type { Ranked } from "./ranking.ts";
import type { Scope } from "./scope.ts";
import type { Reason, SelectedItem } from "./selection.ts";

/** A list in the making. */
export interface Draft {
  readonly scope: Scope;
  readonly selected: SelectedItem[];
  /** The items in it. */
  readonly taken: ItemMarks;
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

/** Of the draft in hand: a selection makes one after the other. */
const taken = new ItemMarks();

export function newDraft(scope: Scope, { target, unlockedOnly, repeats = false }: DraftOptions): Draft {
  taken.begin(scope.input.bank.allItems.length);
  const { predict } = scope.input;
  const search: Search = {
    target,
    predict,
    accept: (item) =>
      !taken.has(item.index) &&
      (repeats || !scope.recent.has(item.index)) &&
      scope.wanted(item) &&
      (!unlockedOnly || scope.unlocked(item)),
  };
  return { scope, selected: [], taken, search };
}

export const roomIn = ({ scope, selected }: Draft): number => scope.input.size - selected.length;

/** An item of the list, with what {@link add} needs to know of it. */
export interface Chosen {
  readonly index: number;
  readonly selected: SelectedItem;
}

export function add(draft: Draft, { index, selected }: Chosen): void {
  draft.selected.push(selected);
  draft.taken.add(index);
}

export function choose({ item, p }: Candidate, score: number, propensity: number, reason: Reason): Chosen {
  return { index: item.index, selected: { itemId: item.itemId, p, score, propensity, reason } };
}

/** Fills the list from a ranking, nothing drawn at random. */
export function addRanked(draft: Draft, next: () => Ranked | null, reasonFor: (candidate: Candidate) => Reason): void {
  while (roomIn(draft) > 0) {
    const ranked = next();
    if (ranked === null) return;
    add(draft, choose(ranked.candidate, ranked.score, 1, reasonFor(ranked.candidate)));
  }
}
