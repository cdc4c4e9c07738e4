import type { Policy } from "../events.ts";
import { ruleBits } from "./rules.ts";
import type { SkillMastery } from "./selection.ts";

type Held = Pick<SkillMastery, "p" | "n" | "hard" | "lapsesAt">;
type Needs = Pick<Policy, "masteryThreshold" | "masteryNeeds">;

/**
 * Whether a skill counts as mastered at `now` (milliseconds since 1970): by its probability, by the evidence that the policy
 * asks for beside it, and by how long ago it was shown.
 */
export const isMastered = (mastery: Held, policy: Needs, now: number): boolean =>
  mastery.p >= policy.masteryThreshold && lacking(mastery, policy, now) === 0;

/** Bits of the rules that keep it from being mastered, whatever its probability. */
export function lacking({ n, hard = 0, lapsesAt }: Held, { masteryNeeds }: Needs, now: number): number {
  const shown = n >= masteryNeeds.answersMin && hard >= masteryNeeds.hardAnswersMin;
  const lapsed = masteryNeeds.recallMin > 0 && lapsesAt !== undefined && lapsesAt <= now;
  return (shown ? 0 : ruleBits.mastery_evidence) | (lapsed ? ruleBits.mastery_recall : 0);
}
