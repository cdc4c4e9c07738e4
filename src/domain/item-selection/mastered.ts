import type { Policy } from "../events.ts";
import type { SkillMastery } from "./selection.ts";

/** Whether a skill counts as mastered: by its probability, and by the evidence that the policy asks for beside it. */
export function isMastered(
  { p, n, hard = 0 }: Pick<SkillMastery, "p" | "n" | "hard">,
  { masteryThreshold, masteryNeeds }: Pick<Policy, "masteryThreshold" | "masteryNeeds">,
): boolean {
  return p >= masteryThreshold && n >= masteryNeeds.answersMin && hard >= masteryNeeds.hardAnswersMin;
}
