import { between, numbersJson, short, signed, type Table } from "../experiments/results-text.ts";
import { type EstimateName, weightMax } from "./estimators.ts";
import type { PolicyEvaluation } from "./policy-evaluation.ts";
import { rewards } from "./rewards.ts";

const titles: Readonly<Record<EstimateName, string>> = {
  logged: "the policy that served",
  ips: "the other: inverse propensity",
  snips: "  self-normalised",
  clipped: `  with weights up to ${weightMax}`,
  model: "  the model alone",
  dr: "  doubly robust",
  gain: "doubly robust less what was",
};
const names = Object.keys(titles) as EstimateName[];

export const estimatesTable = ({ estimates, reward }: PolicyEvaluation): Table => ({
  header: [rewards[reward].title, "estimate", "95 %"],
  rows: names.map((name) => {
    const { estimate, low, high } = estimates[name];
    return [titles[name], name === "gain" ? signed(estimate) : short(estimate), between(low, high)];
  }),
});

export function evidenceLines({ lists, evidence, unsupported }: PolicyEvaluation): string[] {
  const { served, passedOver, answered, reproduced } = lists;
  const { decisions, learners, effective } = evidence;
  const over = Object.entries({
    "of new learners": passedOver.newLearner,
    stale: passedOver.stale,
    "with items passed over": passedOver.cut,
  }).flatMap(([what, n]) => (n > 0 ? [`${n} ${what}`] : []));
  return [
    `${served} lists given out${over.length > 0 ? ` (left out: ${over.join(", ")})` : ""}, ${answered} answered, ${reproduced} of these selected again just so`,
    `${decisions} decisions of ${learners} learners, worth ${short(effective)} after weighting; largest weight ${short(evidence.weightMax)}, mean ${short(evidence.weightMean)}`,
    `${short(unsupported * 100)} % of what the other policy would do was never done in its place`,
  ];
}

export function evaluationJson(evaluation: PolicyEvaluation): object {
  const { estimates, evidence } = evaluation;
  return {
    ...evaluation,
    evidence: numbersJson(evidence),
    estimates: Object.fromEntries(names.map((name) => [name, numbersJson(estimates[name])])),
  };
}
