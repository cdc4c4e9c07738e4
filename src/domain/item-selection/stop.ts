import type { Draft } from "./draft.ts";
import { ruleBits } from "./rules.ts";
import { type Stop, type StopReason, stopReasons } from "./selection.ts";

/**
 * Why the learner may stop: the session has taken what it may; nothing is due (a review session, which may go on ahead of
 * time); everything is mastered; all that is left was given as often as the policy allows. null where there is more to do.
 */
export function stopOf(draft: Draft): Stop | null {
  const { sessionType, due } = draft.scope.input;
  if (sessionIsOver(draft)) return stops.budget_used;
  if (sessionType === "review" && due.length === 0) return stops.nothing_due;
  if (draft.selected.length > 0) return null;
  if (draft.bound & (ruleBits.exposure_cap | ruleBits.learner_share)) return stops.exposure_cap;
  if (sessionType === "practice" && allMastered(draft)) return stops.mastered;
  return stops.nothing_left;
}

/** One object for each: they are compared and written again and again. */
const stops = Object.fromEntries(stopReasons.map((reason) => [reason, { reason }])) as Readonly<
  Record<StopReason, Stop>
>;

const sessionIsOver = ({ scope, selected, bound }: Draft): boolean =>
  selected.length === 0 && (scope.places <= 0 || scope.leftMs === 0 || (bound & ruleBits.session_budget) !== 0);

const allMastered = ({ scope }: Draft): boolean =>
  scope.input.bank.allItems.length > 0 &&
  scope.skills.every((skill) => scope.status(skill) === "mastered") &&
  !scope.withoutSkill().some(scope.wanted);
