import { type Candidate, never, type Ranked, type Search } from "./candidates.ts";
import { ItemMarks } from "./item-marks.ts";
import { ruleBits, withRules } from "./rules.ts";
import type { Scope } from "./scope.ts";
import type { BankItem, Reason, SelectedItem } from "./selection.ts";

/** A list in the making. */
export interface Draft {
  readonly scope: Scope;
  readonly selected: SelectedItem[];
  /** The items in it, and those that were passed over. */
  readonly taken: ItemMarks;
  /** Knows what may still be given: wanted, unlocked, not in the list, not done recently, within caps and budget. */
  readonly search: Search;
  /** Bits of the rules that kept others from the place that is filled next. */
  bound: number;
  /** What the list takes the learner, milliseconds; kept where the session has a budget of time. */
  expectedMs: number;
}

export interface DraftOptions {
  readonly target: number;
  /** False: measuring, where prerequisites are ignored. */
  readonly unlockedOnly: boolean;
  /** A list that came to nothing: what was done recently may be given again. */
  readonly insteadOf?: Draft;
  /** Then also what was done last. */
  readonly lastToo?: boolean;
}

/** Of the draft in hand: a selection makes one after the other. */
const taken = new ItemMarks();

export function newDraft(scope: Scope, { target, unlockedOnly, insteadOf, lastToo = true }: DraftOptions): Draft {
  taken.begin(scope.input.bank.allItems.length);
  const { predict, onConsidered, policy, recentItemIds } = scope.input;
  const last = lastToo || policy.doNotRepeat === 0 ? undefined : recentItemIds[0];
  const repeated = (item: BankItem): boolean =>
    insteadOf === undefined ? scope.recent.has(item.index) : item.itemId === last;
  const search: Search = {
    target,
    predict,
    ...(onConsidered === undefined ? {} : { onConsidered }),
    verdict(item) {
      if (taken.has(item.index) || !scope.wanted(item) || (unlockedOnly && !scope.unlocked(item))) return never;
      let refusal = repeated(item) ? ruleBits.do_not_repeat : 0;
      if (scope.capped !== null) refusal |= scope.capped(item);
      if (scope.leftMs !== null) refusal |= overBudget(draft, item);
      return refusal;
    },
  };
  const bound = insteadOf?.bound ?? 0;
  const draft: Draft = { scope, selected: [], taken, search, bound, expectedMs: 0 };
  return draft;
}

export const roomIn = ({ scope, selected }: Draft): number => scope.places - selected.length;

/** The rule's bit where the item takes longer than the session has time for, else 0. */
export function overBudget({ scope, selected, expectedMs }: Draft, item: BankItem): number {
  const { leftMs } = scope;
  if (leftMs === null || expectedMs + scope.expectedMs(item) <= leftMs) return 0;
  // Whatever it takes, the first of a session may be given: a budget is no reason never to begin.
  return selected.length === 0 && scope.sessionIsNew ? 0 : ruleBits.session_budget;
}

/** An item of the list, with what {@link add} needs to know of it. */
export interface Chosen {
  readonly item: BankItem;
  readonly selected: SelectedItem;
}

/** Puts it at the next place. Its reason names the rules that kept others from there. */
export function add(draft: Draft, { item, selected }: Chosen): void {
  const { bound } = draft;
  draft.selected.push(bound === 0 ? selected : { ...selected, reason: withRules(selected.reason, bound) });
  draft.bound = 0;
  draft.taken.add(item.index);
  if (draft.scope.leftMs !== null) draft.expectedMs += draft.scope.expectedMs(item);
}

export function choose({ item, p }: Candidate, score: number, propensity: number, reason: Reason): Chosen {
  return { item, selected: { itemId: item.itemId, p, score, propensity, reason } };
}

/** An item outside of a ranking. */
export const candidateOf = (item: BankItem, p: number, skillId: string | null): Candidate => ({
  item,
  p,
  closeness: 0,
  skillId,
  refused: false,
  rules: 0,
});

/** Fills the list from a ranking, nothing drawn at random. */
export function addRanked(draft: Draft, next: () => Ranked | null, reasonFor: (candidate: Candidate) => Reason): void {
  while (roomIn(draft) > 0) {
    const ranked = next();
    if (ranked === null) return;
    add(draft, choose(ranked.candidate, ranked.score, 1, reasonFor(ranked.candidate)));
  }
}
