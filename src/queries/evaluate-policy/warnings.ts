import type { PolicyEvaluation } from "./policy-evaluation.ts";

/** Decisions' worth of evidence below which weighted estimates say little. */
const effectiveMin = 100;
const learnersMin = 30;
const unsupportedMax = 0.05;
const reproducedMin = 0.95;
/** Mean weight may be off 1 by so much. */
const weightOffMax = 0.2;

/** What whoever reads the estimates should know first. */
export function warningsOf(evaluation: Omit<PolicyEvaluation, "warnings">): string[] {
  const { evidence, lists, unsupported } = evaluation;
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  if (evidence.decisions === 0) {
    const why = lists.served === 0 ? "no list was given out" : "no answer names a list (selectionId)";
    return [`nothing to go by: ${why} on this track, in this part of the log`];
  }
  const warnings: string[] = [];
  if (evidence.effective < effectiveMin) {
    warnings.push(
      `the weights leave ${evidence.effective.toFixed(1)} decisions' worth of evidence of ${evidence.decisions}: below ${effectiveMin}, trust ips, snips and clipped no further than their intervals, and dr as far as the model; explore more (explorationRate), or ask of a policy nearer to the one that served`,
    );
  }
  if (evidence.learners < learnersMin) {
    warnings.push(`${evidence.learners} learners: intervals are too narrow below ${learnersMin}`);
  }
  if (unsupported > unsupportedMax) {
    warnings.push(
      `${percent(unsupported)} of what this policy would do was never done in its place: ips, snips and clipped know nothing of that, dr has the model's word`,
    );
  } else if (Math.abs(evidence.weightMean - 1) > weightOffMax) {
    warnings.push(
      `weights have a mean of ${evidence.weightMean.toFixed(2)}, not 1: too few lists drew what this policy would do`,
    );
  }
  if (lists.reproduced < reproducedMin * lists.answered) {
    warnings.push(
      `${lists.answered - lists.reproduced} of ${lists.answered} lists are not what the log gives when selected again (another list size, model or version of Proximal): estimates are off as far as that matters`,
    );
  }
  return warnings;
}
