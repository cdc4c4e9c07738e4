import type { LearnerChange } from "./tally.ts";

/** learners.csv: a line for each learner with a choice that was looked at (RFC 4180). */
export const learnersHeader = "learnerId,lists,firstChanged,identical,dueChanged,masteryGained,masteryLost\r\n";

export const learnerLines = (learners: readonly LearnerChange[]): string =>
  learners.map((learner) => `${cells(learner).map(cell).join(",")}\r\n`).join("");

const cells = (learner: LearnerChange): (string | number)[] => [
  ...[learner.learnerId, learner.lists, learner.firstChanged, learner.identical, learner.dueChanged],
  ...[learner.gained.join(" "), learner.lost.join(" ")],
];

/** A text that a spreadsheet would take for a formula is given an apostrophe. */
function cell(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
