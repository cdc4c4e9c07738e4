import type { Reason, Rule, Stop, StopReason } from "./selection.ts";

/** One sentence that a learner or teacher can read. `skillTitle` gives the title of a skill, `percentDigits` what stands for a mastery. */
export function reasonText(
  reason: Reason,
  skillTitle: (skillId: string) => string,
  percentDigits = (share: number): string => String(percentOf(share)),
): string {
  const text = factsText(reason, skillTitle, percentDigits);
  return reason.rules === undefined ? text : `${text} (${reason.rules.map((rule) => ruleTexts[rule]).join("; ")})`;
}

const ruleTexts: Readonly<Record<Rule, string>> = {
  do_not_repeat: "what was done lately comes last",
  exposure_cap: "another item was given as often as the track allows",
  learner_share: "another item is kept for other learners",
  topic_mix: "for the mix of topics",
  mastery_evidence: "more answers, or harder ones, have to show it",
  mastery_recall: "after so long a rest it has to be shown again",
  session_budget: "as the time or the items of the session are limited",
};

/** One sentence on why to stop. */
export const stopText = ({ reason }: Stop): string => stopTexts[reason];

const stopTexts: Readonly<Record<StopReason, string>> = {
  mastered: "Everything here is mastered",
  nothing_due: "Nothing is due for review",
  budget_used: "The session has used its time or its items",
  exposure_cap: "What is left was given as often as the track allows",
  nothing_left: "There is nothing left to give",
};

function factsText(
  reason: Reason,
  skillTitle: (skillId: string) => string,
  percentDigits: (share: number) => string,
): string {
  switch (reason.code) {
    case "pinned":
      return "Chosen by a teacher";
    case "due_review":
      return reason.skillId === null ? "Due for review" : `Due review of ${skillTitle(reason.skillId)}`;
    case "upcoming_review":
      return reason.skillId === null ? "Review ahead of time" : `Review of ${skillTitle(reason.skillId)} ahead of time`;
    case "open_skill":
      return `${skillTitle(reason.skillId)} is open and at ${percentDigits(reason.mastery)} % mastery`;
    case "near_target":
      return "About as hard as this track aims at";
    case "exploration":
      return reason.skillId === null
        ? "Tried at random to learn what works"
        : `Tried at random from what is open, to learn what works: ${skillTitle(reason.skillId)}`;
    case "maintenance":
      return `${skillTitle(reason.skillId)} is mastered (${percentDigits(reason.mastery)} %): to keep it fresh`;
    case "most_informative":
      return reason.skillId === null
        ? "Tells most about what you know"
        : `Tells most about what you know of ${skillTitle(reason.skillId)}`;
    case "topic_coverage":
      return reason.skillId === null ? "Covers the track" : `Covers ${skillTitle(reason.skillId)}`;
    case "popular":
      return reason.learners === 1
        ? "Popular with new learners (1 learner)"
        : `Popular with new learners (${reason.learners} learners)`;
  }
}

/** Rounded down, so that 100 % is never claimed too early. */
export const percentOf = (share: number): number => Math.floor(share * 100 + 1e-9);
