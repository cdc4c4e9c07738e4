import { selectMockTest, selectPlacement } from "./measuring.ts";
import { selectPractice } from "./practice.ts";
import { selectReviews } from "./review.ts";
import { type Scope, scopeOf } from "./scope.ts";
import type { SelectedItem, Selection, SelectionInput, Stop } from "./selection.ts";

/**
 * What this learner should do next: the items to offer, best first, each with its predicted success, its propensity
 * and its reason. Pure: the same input gives the same list to the last bit. Never throws; a bank with nothing to
 * offer gives an empty list.
 *
 * However it ranks, it holds to this: no item outside of the bank (retired, barred, of a kind the track does not
 * allow), none twice, none whose prerequisites are not held (practice, review), and none of the last
 * `policy.doNotRepeat` unless there is no other.
 */
export function selectItems(input: SelectionInput): Selection {
  const items = input.size > 0 ? select(scopeOf(input)) : [];
  return { items, holdsUntil: holdsUntil(input), stop: stopOf(input, items) };
}

function select(scope: Scope): SelectedItem[] {
  switch (scope.input.sessionType) {
    case "practice":
      return selectPractice(scope);
    case "review":
      return selectReviews(scope);
    case "placement":
      return selectPlacement(scope);
    case "mock_test":
      return selectMockTest(scope);
  }
}

function stopOf({ size, sessionType, due }: SelectionInput, items: readonly SelectedItem[]): Stop | null {
  if (sessionType === "review" && due.length === 0) return { reason: "nothing_due" };
  return items.length === 0 && size > 0 ? { reason: "nothing_left" } : null;
}

/** Time enters through reviews only. */
function holdsUntil({ sessionType, policy, nextDueAt }: SelectionInput): number | null {
  const offersReviews = sessionType === "review" || (sessionType === "practice" && policy.reviewShare > 0);
  return offersReviews ? nextDueAt : null;
}
