import type { LearnerState } from "../domain/learner/learner-state.ts";
import { type DayLoad, dueCards, nextDueAt, reviewLoad } from "../domain/reviews/cards.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import { type LearnerFreshness, type LearnerRowDeps, readLearner } from "./learner-row.ts";

export interface Reviews extends LearnerFreshness {
  /** Cards due now, and of them the most overdue. A card is of a skill, or of an item where the track says so. */
  readonly dueCount: number;
  readonly due: readonly { skillId: string | null; itemId: string | null; title: string; dueAt: string }[];
  /** When the next card not due yet falls due. */
  readonly nextDueAt: string | null;
  /** Cards that fall due on each of the coming UTC days; today counts the overdue too. */
  readonly load: readonly DayLoad[];
}

const dueMax = 100;

/** What a learner should review now, and what the coming days hold. */
export async function learnerReviews(
  deps: LearnerRowDeps & { readonly catalogue: CatalogueReader },
  learnerId: string,
  days: number,
): Promise<Reviews> {
  const { state, freshness } = await readLearner(deps, learnerId);
  return { ...freshness, ...reviewsOf(deps.catalogue, state, deps.clock.now(), days) };
}

/** What a state says of reviews at a time, in words of the catalogue. */
export function reviewsOf(
  { catalogue: { items, skills } }: CatalogueReader,
  { cards }: LearnerState,
  now: number,
  days: number,
): Omit<Reviews, keyof LearnerFreshness> {
  const due = dueCards(cards, now);
  const next = nextDueAt(cards, now);
  return {
    dueCount: due.length,
    due: due.slice(0, dueMax).map(({ skillId, itemId, dueAt }) => {
      const known = itemId === null ? skills.get(skillId ?? "") : items.get(itemId);
      return { skillId, itemId, title: known?.title ?? itemId ?? skillId ?? "", dueAt: new Date(dueAt).toISOString() };
    }),
    nextDueAt: next === null ? null : new Date(next).toISOString(),
    load: reviewLoad(cards, now, days),
  };
}

const dayMs = 24 * 60 * 60 * 1000;

/** Milliseconds since 1970: when the next card falls due, or the next UTC day begins. */
export function reviewsHoldUntil({ cards }: LearnerState, now: number): number {
  const tomorrow = (Math.floor(now / dayMs) + 1) * dayMs;
  return Math.min(tomorrow, nextDueAt(cards, now) ?? tomorrow);
}
