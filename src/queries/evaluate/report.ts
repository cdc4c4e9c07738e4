import { calibrationPlot } from "./calibration-plot.ts";
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

/** Columns padded to their widest cell, two spaces before each. */
function textTable(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [k, cell] of row.entries()) widths[k] = Math.max(widths[k] ?? 0, cell.length);
  }
  return rows.map((row) => `  ${row.map((cell, k) => cell.padEnd(widths[k] ?? 0)).join("  ")}`.trimEnd());
}

/** A page that needs nothing but itself: no script, no font, no image from elsewhere. `logName` is what was evaluated on. */
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
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${html(title)}</h1>
${describeRun(result)
  .map((line) => `<p>${html(line)}</p>`)
  .join("\n")}
<h2>Figures</h2>
${htmlTable(["measure", "value", ""], figures)}
<h2>Calibration</h2>
<div class="beside">
<figure>
${calibrationPlot(result.metrics.bins)}
<figcaption>On the dashed line, of the answers predicted with probability p a share p is correct. Area: answers in the bin.</figcaption>
</figure>
${htmlTable(["predicted", "answers", "mean p", "correct"], bins)}
</div>
<h2>${html(published.title)}</h2>
${htmlTable(["model", ...published.dataSets], others)}
<p class="source">${html(`Source: ${published.source} ${comparisonNote(result)}`)}</p>
</main>
</body>
</html>
`;
}

function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const headCells = head.map((cell) => `<th scope="col">${html(cell)}</th>`).join("");
  const body = rows.map(([first = "", ...cells]) => {
    const rest = cells.map((cell) => `<td>${html(cell)}</td>`).join("");
    return `<tr><th scope="row">${html(first)}</th>${rest}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${headCells}</tr></thead><tbody>\n${body.join("\n")}\n</tbody></table></div>`;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const html = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);

const style = `
:root { color-scheme: light dark; --text: #1b1b1f; --soft: #5c5c66; --line: #d8d8e0; --page: #ffffff; --mark: #1d5fb4; --fill: #a9c6ec; }
@media (prefers-color-scheme: dark) {
  :root { --text: #ececf1; --soft: #a5a5b0; --line: #3a3a44; --page: #17171b; --mark: #7db3f5; --fill: #2f4d75; }
}
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; } p { margin: .3rem 0; }
.scroll { overflow-x: auto; } .source, figcaption { color: var(--soft); font-size: .9rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem .25rem 0; text-align: left; border-bottom: 1px solid var(--line); font-weight: normal; }
thead th { color: var(--soft); }
.beside { display: flex; flex-wrap: wrap; gap: 2rem; align-items: start; }
figure { margin: 0; flex: 1 1 20rem; max-width: 30rem; } svg { width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; } .grid { stroke: var(--line); }
.ideal { stroke: var(--soft); stroke-dasharray: 5 4; } .observed { fill: none; stroke: var(--mark); stroke-width: 2; }
.bin { fill: var(--mark); stroke: var(--page); } .count { fill: var(--fill); }
`;
