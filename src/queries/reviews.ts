import type { Freshness } from "../domain/freshness-token.ts";
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
  request: { readonly days: number; readonly after: Freshness | null },
): Promise<Reviews> {
  const { state, freshness } = await readLearner(deps, learnerId, request.after);
  const { items, skills } = deps.catalogue.catalogue;
  const now = deps.clock.now();
  const due = dueCards(state.cards, now);
  const next = nextDueAt(state.cards, now);
  return {
    ...freshness,
    dueCount: due.length,
    due: due.slice(0, dueMax).map(({ skillId, itemId, dueAt }) => {
      const known = itemId === null ? skills.get(skillId ?? "") : items.get(itemId);
      return { skillId, itemId, title: known?.title ?? itemId ?? skillId ?? "", dueAt: new Date(dueAt).toISOString() };
    }),
    nextDueAt: next === null ? null : new Date(next).toISOString(),
    load: reviewLoad(state.cards, now, request.days),
  };
}
