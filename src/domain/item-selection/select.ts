import type { Draft } from "./draft.ts";
import { selectMockTest, selectPlacement } from "./measuring.ts";
import { selectPractice } from "./practice.ts";
import { selectReviews, waitsUntil } from "./review.ts";
import { ruleBits, withRules } from "./rules.ts";
import { type Scope, scopeOf } from "./scope.ts";
import type { SelectedItem, Selection, SelectionInput } from "./selection.ts";
import { stopOf } from "./stop.ts";

/**
 * What this learner should do next: the items to offer, best first, each with its predicted success, its propensity
 * and its reason, and whether to stop. Pure: the same input gives the same list to the last bit. Never throws; a bank with
 * nothing to offer gives an empty list.
 *
 * However it ranks, it holds to this: no item outside of the bank (retired, barred, of a kind the track does not
 * allow), none twice, none whose prerequisites are not held (practice, review), none given as often as the policy allows
 * or kept for other learners, no more than the session has room for; and none of the last `policy.doNotRepeat` unless
 * there is no other. In a review the very last comes only where it is all there is.
 */
export function selectItems(input: SelectionInput): Selection {
  if (input.size <= 0) return { items: [], holdsUntil: holdsUntil(input, Number.POSITIVE_INFINITY), stop: null };
  const scope = scopeOf(input);
  const draft = select(scope);
  return { items: ended(draft), holdsUntil: holdsUntil(input, scope.refusedUntil()), stop: stopOf(draft) };
}

function select(scope: Scope): Draft {
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

/** Where the list would go on without a rule, its last item names the rule. */
function ended({ scope, selected, bound }: Draft): readonly SelectedItem[] {
  const last = selected.at(-1);
  if (last === undefined) return selected;
  const cut = scope.places < scope.input.size && selected.length === scope.places;
  const rules = bound | (cut ? ruleBits.session_budget : 0);
  if (rules !== 0) selected[selected.length - 1] = { ...last, reason: withRules(last.reason, rules) };
  return selected;
}

/** Time enters through reviews, skills that lapse, items that have to rest, and the end of a session. */
function holdsUntil(input: SelectionInput, rested: number): number | null {
  const { sessionType, policy, nextDueAt, session } = input;
  const { reviewShare, sessionBudget } = policy;
  const practices = sessionType === "practice" && reviewShare > 0;
  const offersReviews = sessionType === "review" || practices;
  const budgeted = sessionBudget.minutes !== null || sessionBudget.items !== null;
  const until = Math.min(
    offersReviews && nextDueAt !== null ? nextDueAt : Number.POSITIVE_INFINITY,
    sessionType === "practice" ? (input.nextLapseAt ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY,
    practices ? nextToPress(input) : Number.POSITIVE_INFINITY,
    rested,
    budgeted && session !== undefined ? session.endsAt : Number.POSITIVE_INFINITY,
  );
  return Number.isFinite(until) ? until : null;
}

/** When the longest wait of a card that is due ends. */
function nextToPress({ due, now, policy }: SelectionInput): number {
  const waiting = due.find(({ dueAt }) => waitsUntil(dueAt, policy) > now);
  return waiting === undefined ? Number.POSITIVE_INFINITY : waitsUntil(waiting.dueAt, policy);
}
