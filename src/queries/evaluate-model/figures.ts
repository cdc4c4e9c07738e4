import type { EvaluationResult } from "./model.ts";
import { measuredLearner } from "./state-size.ts";

/** Words and figures shared by the text and the HTML report. */
export interface Figure {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

export const whole = (n: number): string => Math.round(n).toLocaleString("en-US");
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

export function figuresOf({ metrics, ...result }: EvaluationResult): Figure[] {
  const { auc } = metrics;
  return [
    {
      name: "AUC",
      value: auc === null ? "not defined" : auc.toFixed(4),
      note: auc === null ? "all answers are of one kind" : "exact, ties count half; .5 is chance",
    },
    { name: "accuracy", value: metrics.accuracy.toFixed(4), note: "p >= .5 predicts correct" },
    { name: "RMSE", value: metrics.rmse.toFixed(4), note: "" },
    { name: "log loss", value: metrics.logLoss.toFixed(4), note: "nats an answer" },
    { name: "ECE", value: metrics.ece.toFixed(4), note: "10 equal-width bins" },
    {
      name: "events/s",
      value: whole(result.answersPerSecond),
      note: `model loop, in memory: ${whole(result.answersRead)} answers in ${seconds(result.modelCpuMs)} of one core, ${seconds(result.modelMs)} by the clock; reading them took ${seconds(result.readMs)} besides`,
    },
    {
      name: "state",
      value: whole(result.stateBytes),
      note: `bytes stored of a learner after ${whole(measuredLearner.answers)} answers on ${measuredLearner.items} items and ${measuredLearner.skills} skills, their ids among them`,
    },
  ];
}

/** What was done, in sentences. */
export function describeRun(result: EvaluationResult): string[] {
  const { answersRead, learners, items, skills, metrics } = result;
  const log = `${whole(answersRead)} answers of ${whole(learners)} learners on ${whole(items)} items and ${whole(skills)} skills.`;
  return [
    log,
    orderText(result),
    protocolText(result),
    `${percent(metrics.correct)} of the measured answers are correct.`,
  ];
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Said beside the published table where this run is of another kind. */
export function comparisonNote({ protocol }: EvaluationResult): string {
  return protocol === "frozen" ? "" : `This run is ${protocol}, not frozen: compare with care.`;
}

function orderText({ order, seed }: EvaluationResult): string {
  switch (order) {
    case "by_time":
      return "Answers in order of their time.";
    case "merged_at_random":
      return `No times in the log, rows learner by learner: learners merged at random (seed ${seed}), each one's answers in order.`;
    case "as_given":
      return "Answers in the order of the log.";
  }
}

function protocolText({ protocol, metrics, answersRead, split, snapshotEveryAnswers, seed }: EvaluationResult): string {
  switch (protocol) {
    case "prequential":
      return "Prequential: each answer is predicted before it is learnt.";
    case "frozen": {
      const who = split === "of_the_log" ? "the log's own split" : `80/20 by learner at random, seed ${seed}`;
      return `Frozen: trained on ${whole(answersRead - metrics.answers)} answers (${who}), then ${whole(metrics.answers)} answers of other learners predicted with the shared weights fixed.`;
    }
    case "published": {
      const when =
        snapshotEveryAnswers === null ? "by the trainer's rule" : `each ${whole(snapshotEveryAnswers)} answers`;
      return `Published: predicted with the weights published last, ${when}, as learners are served.`;
    }
  }
}
