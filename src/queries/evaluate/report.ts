import { htmlPage } from "../plots/html-page.ts";
import { textTable } from "../text-table.ts";
import { answersPlot, calibrationPlot } from "./calibration-plot.ts";
import { comparisonNote, describeRun, figuresOf, whole } from "./figures.ts";
import type { EvaluationResult } from "./model.ts";
import type { PublishedTable } from "./published.ts";

/** The result and the published table, for a terminal. Ends with a line break. */
export function renderEvaluationText(result: EvaluationResult, published: PublishedTable): string {
  const figures = figuresOf(result).map(({ name, value, note }) => [name, value, note]);
  const bins = result.metrics.bins.map(({ from, to, answers, predicted, observed }) => [
    `${from.toFixed(1)}-${to.toFixed(1)}`,
    whole(answers),
    predicted?.toFixed(3) ?? "-",
    observed?.toFixed(3) ?? "-",
  ]);
  const others = published.models.map(({ name, auc }) => [name, ...auc.map((value) => value.toFixed(2))]);
  return [
    `Model ${result.model}, protocol ${result.protocol}`,
    ...describeRun(result).map((line) => `  ${line}`),
    "",
    ...textTable(figures),
    "",
    "Calibration",
    ...textTable([["predicted", "answers", "mean p", "correct"], ...bins]),
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
  const bins = result.metrics.bins.map(({ from, to, answers, predicted, observed }) => [
    `${from.toFixed(1)} to ${to.toFixed(1)}`,
    whole(answers),
    predicted?.toFixed(3) ?? "–",
    observed?.toFixed(3) ?? "–",
  ]);
  const others = published.models.map(({ name, auc }) => [name, ...auc.map((value) => value.toFixed(2))]);
  return htmlPage({
    title,
    sections: [
      { blocks: describeRun(result).map((text) => ({ kind: "text", text })) },
      { title: "Figures", blocks: [{ kind: "table", head: ["measure", "value", ""], rows: figures }] },
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
          { kind: "table", head: ["predicted", "answers", "mean p", "correct"], rows: bins },
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
