import type { Policy } from "../events.ts";
import type { Mastery } from "../learner-model/mastery.ts";
import { cardOf, recalledUntil } from "../reviews/cards.ts";
import { type LearnerState, masteryOf } from "./learner-state.ts";

/** Mastery of a skill, and how long what was shown counts. */
export interface HeldMastery extends Mastery {
  /**
   * When the skill's memory card expects less recall than the policy asks for, milliseconds since 1970. Infinity where it
   * asks for none, and where cards are kept for each item, so that the skill has none.
   */
  readonly lapsesAt: number;
}

/** null for a skill that the learner never answered. */
export function heldMastery(
  state: LearnerState,
  skillId: string,
  policy: Pick<Policy, "masteryNeeds">,
): HeldMastery | null {
  const mastery = masteryOf(state, skillId);
  if (mastery === null) return null;
  const card = cardOf(state.cards, "skills", skillId);
  const lapsesAt = card === null ? Number.POSITIVE_INFINITY : recalledUntil(card, policy.masteryNeeds.recallMin);
  return { ...mastery, lapsesAt };
}

/** When the next skill lapses of those whose probability is enough for the policy, milliseconds since 1970; null for never. */
export function nextLapseAt(
  { cards, mastery }: LearnerState,
  { masteryNeeds, masteryThreshold }: Pick<Policy, "masteryNeeds" | "masteryThreshold">,
  now: number,
): number | null {
  let soonest = Number.POSITIVE_INFINITY;
  for (let skill = 0; skill < cards.skills.length; skill++) {
    const card = cards.skills[skill];
    if (card === null || card === undefined || (mastery[skill]?.p ?? 0) < masteryThreshold) continue;
    const lapsesAt = recalledUntil(card, masteryNeeds.recallMin);
    if (lapsesAt > now && lapsesAt < soonest) soonest = lapsesAt;
  }
  return soonest === Number.POSITIVE_INFINITY ? null : soonest;
}
