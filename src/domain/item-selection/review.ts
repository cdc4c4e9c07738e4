import type { Policy } from "../events.ts";
import { nearTarget } from "./candidates.ts";
import { add, type Chosen, choose, type Draft, type DraftOptions, newDraft, roomIn } from "./draft.ts";
import type { Scope } from "./scope.ts";
import type { BankItem, DueCard } from "./selection.ts";

/** A review session: what is due, most overdue first, then what falls due next; one item for each card. */
export function selectReviews(scope: Scope): Draft {
  const fresh = reviewsOf(scope, {});
  if (fresh.selected.length > 0) return fresh;
  const again = reviewsOf(scope, { insteadOf: fresh, lastToo: false });
  return again.selected.length > 0 ? again : reviewsOf(scope, { insteadOf: again });
}

function reviewsOf(scope: Scope, repeats: Pick<DraftOptions, "insteadOf" | "lastToo">): Draft {
  const { due, upcoming = [], policy } = scope.input;
  const draft = newDraft(scope, { target: policy.targetSuccess, unlockedOnly: true, ...repeats });
  for (const cards of [due, policy.reviews.ahead ? upcoming : []]) {
    for (const card of cards) {
      if (roomIn(draft) <= 0) return draft;
      const review = reviewOf(card, draft);
      if (review !== null) add(draft, review);
    }
  }
  return draft;
}

/**
 * The item that reviews a card: the card's own item, or the one of its skill nearest the target. Null where there is
 * none that may be given.
 */
export function reviewOf(card: DueCard, draft: Draft): Chosen | null {
  const { scope, search } = draft;
  const found = nearTarget(itemsOf(card, scope), card.skillId, 1, search);
  for (const best of found) {
    // Of one that is refused the rules that refuse it; of another those to which it owes its place.
    draft.bound |= best.rules;
    if (best.refused) continue;
    const skillId = card.skillId ?? best.item.skillIds[0] ?? null;
    const code = card.dueAt <= scope.input.now ? "due_review" : "upcoming_review";
    return choose(best, best.closeness, 1, { code, skillId, dueAt: card.dueAt });
  }
  return null;
}

/** When a due card comes between the open skills however much success is expected on it, milliseconds since 1970. */
export const waitsUntil = (dueAt: number, { reviewWait }: Policy): number => dueAt + reviewWait.daysMax * 86_400_000;

function itemsOf(card: DueCard, { input }: Scope): readonly BankItem[] {
  if (card.itemId === null) return input.bank.bySkill.get(card.skillId ?? "") ?? [];
  const item = input.bank.items.get(card.itemId);
  return item === undefined ? [] : [item];
}
