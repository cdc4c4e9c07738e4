import { nearTarget } from "./candidates.ts";
import { add, type Chosen, choose, type Draft, newDraft, roomIn } from "./draft.ts";
import type { Scope } from "./scope.ts";
import type { BankItem, DueCard, SelectedItem } from "./selection.ts";

/** A review session: what is due, most overdue first, then what falls due next; one item for each card. */
export function selectReviews(scope: Scope): SelectedItem[] {
  const fresh = reviewsOf(scope, false);
  return fresh.length > 0 ? fresh : reviewsOf(scope, true);
}

function reviewsOf(scope: Scope, repeats: boolean): SelectedItem[] {
  const { due, upcoming = [], policy } = scope.input;
  const draft = newDraft(scope, { target: policy.targetSuccess, unlockedOnly: true, repeats });
  for (const cards of [due, upcoming]) {
    for (const card of cards) {
      if (roomIn(draft) <= 0) return draft.selected;
      const review = reviewOf(card, draft);
      if (review !== null) add(draft, review);
    }
  }
  return draft.selected;
}

/**
 * The item that reviews a card: the card's own item, or the one of its skill nearest the target. Null where there is
 * none that may be given.
 */
export function reviewOf(card: DueCard, { scope, search }: Draft): Chosen | null {
  const [best] = nearTarget(itemsOf(card, scope), card.skillId, 1, search);
  if (best === undefined) return null;
  const skillId = card.skillId ?? best.item.skillIds[0] ?? null;
  const code = card.dueAt <= scope.input.now ? "due_review" : "upcoming_review";
  return choose(best, best.closeness, 1, { code, skillId, dueAt: card.dueAt });
}

function itemsOf(card: DueCard, { input }: Scope): readonly BankItem[] {
  if (card.itemId === null) return input.bank.bySkill.get(card.skillId ?? "") ?? [];
  const item = input.bank.items.get(card.itemId);
  return item === undefined ? [] : [item];
}
