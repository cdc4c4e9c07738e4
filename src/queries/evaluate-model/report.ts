import { htmlPage } from "../plots/html-page.ts";
import { textTable } from "../text-table.ts";
import { answersPlot, calibrationPlot } from "./calibration-plot.ts";
import { comparisonNote, describeRun, figuresOf, whole } from "./figures.ts";
import type { EvaluationResult } from "./model.ts";
import type { PublishedTable } from "./published.ts";
import { isReliable } from "./reliability.ts";

const binHead = ["predicted", "answers", "mean p", "correct", "came true"] as const;

/** The reliability table. */
const binRows = ({ metrics }: EvaluationResult): string[][] =>
  metrics.bins.map((bin) => [
    `${bin.from.toFixed(1)} to ${bin.to.toFixed(1)}`,
    whole(bin.answers),
    bin.predicted?.toFixed(3) ?? "-",
    bin.observed?.toFixed(3) ?? "-",
    bin.answers === 0 ? "-" : isReliable(bin) ? "yes" : "no",
  ]);

const comparedHead = ["model", "AUC", "accuracy", "RMSE", "log loss", "ECE"] as const;

/** The model beside what needs none. */
const comparedRows = ({ model, metrics, baselines }: EvaluationResult): string[][] =>
  [...baselines, { name: model, metrics }].map(({ name, metrics: of }) => [
    name,
    of.auc?.toFixed(4) ?? "-",
    ...[of.accuracy, of.rmse, of.logLoss, of.ece].map((value) => value.toFixed(4)),
  ]);

/** The result and the published table, for a terminal. Ends with a line break. */
export function renderEvaluationText(result: EvaluationResult, published: PublishedTable): string {
  const figures = figuresOf(result).map(({ name, value, note }) => [name, value, note]);
  const bins = binRows(result);
  const others = published.models.map(({ name, auc }) => [name, ...auc.map((value) => value.toFixed(2))]);
  return [
    `Model ${result.model}, protocol ${result.protocol}`,
    ...describeRun(result).map((line) => `  ${line}`),
    "",
    ...textTable(figures),
    "",
    "Beside what needs no model, on the same answers",
    ...textTable([comparedHead, ...comparedRows(result)]),
    "",
    "Calibration: came true where the share of correct answers lies in the bin, within its 99.9 % binomial interval",
    ...textTable([binHead, ...bins]),
    "",
    [published.title, comparisonNote(result)].filter((each) => each !== "").join(". "),
    ...textTable([["model", ...published.dataSets], ...others]),
    `  Source: ${published.source}`,
    "",
  ].join("\n");
}

/** The same as a page that needs nothing but itself. `logName` is what was evaluated on. */
export function renderEvaluationHtml(result: EvaluationResult, published: PublishedTable, logName = ""): string {
  const title = `${result.model}, ${result.protocol}${logName === "" ? "" : ` on ${logName}`}`;
  const figures = figuresOf(result).map(({ name, value, note }) => [name, value, note]);
  const bins = binRows(result);
  const others = published.models.map(({ name, auc }) => [name, ...auc.map((value) => value.toFixed(2))]);
  return htmlPage({
    title,
    sections: [
      { blocks: describeRun(result).map((text) => ({ kind: "text", text })) },
      { title: "Figures", blocks: [{ kind: "table", head: ["measure", "value", ""], rows: figures }] },
      {
        title: "Beside what needs no model, on the same answers",
        blocks: [{ kind: "table", head: [...comparedHead], rows: comparedRows(result) }],
      },
      {
        title: "Calibration",
        blocks: [
          {
            kind: "beside",
            blocks: [
              { kind: "plot", svg: calibrationPlot(result.metrics.bins), caption: calibrationCaption },
              { kind: "plot", svg: answersPlot(result.metrics.bins) },
            ],
          },
          { kind: "table", head: [...binHead], rows: bins },
        ],
      },
      {
        title: published.title,
        blocks: [
          { kind: "table", head: ["model", ...published.dataSets], rows: others },
          { kind: "text", text: `Source: ${published.source} ${comparisonNote(result)}`, soft: true },
        ],
      },
    ],
  });
}

const calibrationCaption =
  "On the dashed line, of the answers predicted with probability p a share p is correct. Area: answers in the bin.";
