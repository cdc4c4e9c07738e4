import type { BankItem } from "./selection.ts";

export interface Candidate {
  readonly item: BankItem;
  readonly p: number;
  /** 1 - |p - target|. */
  readonly closeness: number;
  /** The skill it was found under. */
  readonly skillId: string | null;
}

export interface Search {
  readonly target: number;
  readonly predict: (item: BankItem) => number;
  /** Whether the item may be given at all. */
  readonly accept: (item: BankItem) => boolean;
}

/** Below this spread of predictions over a whole list, its difficulties tell nothing: the easiest come first. */
const flat = 0.02;

/**
 * Up to `want` items whose predicted success is nearest the target, nearest first, easier first among equals.
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
  if (items.length <= 2 * want + 6) {
    for (let at = 0; at < items.length; at++) consider(items[at] as BankItem, skillId, search, found);
  } else {
    let right = crossing(items, search);
    let left = right - 1;
    while (found.length < want && (left >= 0 || right < items.length)) {
      if (right < items.length) consider(items[right++] as BankItem, skillId, search, found);
      if (left >= 0) consider(items[left--] as BankItem, skillId, search, found);
    }
  }
  if (found.length > want) found.length = want;
  return found;
}

/** Puts it in its place, where it may be given: after those as near. They are few, so it goes there step by step. */
function consider(item: BankItem, skillId: string | null, search: Search, found: Candidate[]): void {
  if (!search.accept(item)) return;
  const p = search.predict(item);
  const closeness = 1 - Math.abs(p - search.target);
  const candidate: Candidate = { item, p, closeness, skillId };
  let place = found.push(candidate) - 1;
  for (; place > 0 && (found[place - 1] as Candidate).closeness < closeness; place--) {
    found[place] = found[place - 1] as Candidate;
  }
  found[place] = candidate;
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
