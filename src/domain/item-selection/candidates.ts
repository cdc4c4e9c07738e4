import type { BankItem, SelectionInput } from "./selection.ts";

export interface Candidate {
  readonly item: BankItem;
  readonly p: number;
  /** 1 - |p - target|. */
  readonly closeness: number;
  /** The skill it was found under. */
  readonly skillId: string | null;
  /** It may not be given, and only stands in line so that the rules that refuse it are named where its turn would be. */
  readonly refused: boolean;
  /** Bits of the rules that refuse it; or, where it may be given, of those to which it owes that it was looked for. */
  readonly rules: number;
}

/** A candidate with its place in the order of all. */
export interface Ranked {
  readonly candidate: Candidate;
  readonly score: number;
  /** Place of its group among those ranked; -1: none of them. */
  readonly group: number;
}

/** It may not be given, and no rule of the policy has to do with that. */
export const never = -1;

export interface Search {
  readonly target: number;
  readonly predict: (item: BankItem) => number;
  /** 0: it may be given; {@link never}; else the bits of the rules that refuse it. */
  readonly verdict: (item: BankItem) => number;
  readonly onConsidered?: SelectionInput["onConsidered"];
}

/** Below this spread of predictions over a whole list, its difficulties tell nothing: the easiest come first. */
const flat = 0.02;

/**
 * Up to `want` items that may be given whose predicted success is nearest the target, nearest first, easier first among
 * equals; among them, in their places, those that rules refuse.
 *
 * The list is sorted by difficulty, so p falls along it, near enough: the place where it crosses the target is found
 * by bisection, and only the items around it are predicted. A short list is predicted whole, which is exact. Cost:
 * O(log n + want) predictions; items that are not accepted cost a look each.
 */
export function nearTarget(
  items: readonly BankItem[],
  skillId: string | null,
  want: number,
  search: Search,
): Candidate[] {
  const found: Candidate[] = [];
  let open = 0;
  if (items.length <= 2 * want + 6) {
    for (let at = 0; at < items.length; at++) {
      if (consider(items[at] as BankItem, skillId, search, found, 0) === 0) open += 1;
    }
  } else {
    let refusals = 0;
    let right = crossing(items, search);
    let left = right - 1;
    while (open < want && (left >= 0 || right < items.length)) {
      for (let side = 0; side < 2; side++) {
        const item = side === 0 ? items[right++] : items[left--];
        if (item === undefined) continue;
        // Were it not for those that were refused, the search had ended before this item.
        const verdict = consider(item, skillId, search, found, found.length >= want ? refusals : 0);
        if (verdict === 0) open += 1;
        else if (verdict !== never) refusals |= verdict;
      }
    }
  }
  if (open > want) cutAfter(found, want);
  search.onConsidered?.({ skillId, target: search.target, candidates: found });
  return found;
}

/**
 * Puts it in its place, unless it may never be given: after those as near. They are few, so it goes there step by step. `owing`:
 * bits of the rules to which it owes that it is looked at. Returns the verdict.
 */
function consider(
  item: BankItem,
  skillId: string | null,
  { verdict: verdictOf, predict, target }: Search,
  found: Candidate[],
  owing: number,
): number {
  const verdict = verdictOf(item);
  if (verdict === never) return verdict;
  const p = predict(item);
  const closeness = 1 - Math.abs(p - target);
  const refused = verdict !== 0;
  const candidate: Candidate = { item, p, closeness, skillId, refused, rules: refused ? verdict : owing };
  let place = found.push(candidate) - 1;
  for (; place > 0 && (found[place - 1] as Candidate).closeness < closeness; place--) {
    found[place] = found[place - 1] as Candidate;
  }
  found[place] = candidate;
  return verdict;
}

/** Leaves `want` that may be given, and the refused ones before the last of them. */
function cutAfter(found: Candidate[], want: number): void {
  let open = 0;
  for (let at = 0; at < found.length; at++) {
    if ((found[at] as Candidate).refused) continue;
    open += 1;
    if (open === want) found.length = at + 1;
  }
}

/** Index of the first item that is predicted at or below the target. */
function crossing(items: readonly BankItem[], { target, predict }: Search): number {
  const predictAt = (index: number): number => {
    const item = items[index];
    return item === undefined ? 0 : predict(item);
  };
  if (predictAt(0) - predictAt(items.length - 1) < flat) return 0;
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (predictAt(middle) > target) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of them may be given. */
export function openIn(candidates: readonly Candidate[]): number {
  let open = 0;
  for (let at = 0; at < candidates.length; at++) if (!(candidates[at] as Candidate).refused) open += 1;
  return open;
}

/** Bits of all rules that refuse one of them. */
export function refusing(candidates: readonly Candidate[]): number {
  let bits = 0;
  for (let at = 0; at < candidates.length; at++) {
    const { refused, rules } = candidates[at] as Candidate;
    if (refused) bits |= rules;
  }
  return bits;
}
