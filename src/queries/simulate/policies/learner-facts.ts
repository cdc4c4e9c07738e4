import { isMastered } from "../../../domain/item-selection/mastered.ts";
import type { BankItem, BankSkill, ItemBank } from "../../../domain/item-selection/selection.ts";
import { heldMastery } from "../../../domain/learner/held-mastery.ts";
import { type LearnerState, lastItemIds, masteryOf } from "../../../domain/learner/learner-state.ts";
import { newMastery } from "../../../domain/learner-model/mastery.ts";
import type { Random } from "../../../domain/random.ts";
import { cardOf, recallAt } from "../../../domain/reviews/cards.ts";
import type { Chosen } from "./policy.ts";

/** What the production code holds of a learner, as all policies may use it. */
export const masteryIn = (state: LearnerState, skillId: string): number => masteryOf(state, skillId)?.p ?? 0;

/** How sure the production code is that a skill is mastered now: its probability times what its memory card expects of recall. */
export function certaintyIn(state: LearnerState, skillId: string, now: number): number {
  const card = cardOf(state.cards, "skills", skillId);
  return masteryIn(state, skillId) * (card === null ? 1 : recallAt(card, now));
}

export const isCalledMastered = (state: LearnerState, { policy }: ItemBank, skillId: string, now: number): boolean =>
  isMastered(heldMastery(state, skillId, policy) ?? newMastery(), policy, now);

/** The items outside of the track's do-not-repeat window, of all or of those given; all of them where none is outside. */
export function fresh(
  state: LearnerState,
  bank: ItemBank,
  items: readonly BankItem[] = bank.allItems,
): readonly BankItem[] {
  const recent = new Set(lastItemIds(state, bank.policy.doNotRepeat));
  const left = items.filter(({ itemId }) => !recent.has(itemId));
  return left.length > 0 ? left : items;
}

/** Skills not mastered whose prerequisites are: the outer fringe. */
export function openSkills(state: LearnerState, bank: ItemBank, now: number): BankSkill[] {
  return bank.skills.filter(
    ({ skillId, prerequisites }) =>
      !isCalledMastered(state, bank, skillId, now) &&
      prerequisites.every((needed) => isCalledMastered(state, bank, needed.skillId, now)),
  );
}

export function oneOf<T>(values: readonly T[], random: Random): T | null {
  return values[Math.floor(random() * values.length)] ?? null;
}

/** Of the items with the highest score one at random; null of none. */
export function best(items: readonly BankItem[], score: (item: BankItem) => number, random: Random): BankItem | null {
  let highest = Number.NEGATIVE_INFINITY;
  let found: BankItem[] = [];
  for (const item of items) {
    const worth = score(item);
    if (worth > highest) {
      highest = worth;
      found = [];
    }
    if (worth === highest) found.push(item);
  }
  return oneOf(found, random);
}

export const given = (item: BankItem | null): Chosen | null => (item === null ? null : { item, review: false });
