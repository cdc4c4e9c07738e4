import type { CalibrationBin } from "../../domain/learner-model/metrics.ts";

const size = 360;
const margin = { left: 52, right: 16, top: 16, bottom: 44 } as const;
const histogramHeight = 80;
const x = (share: number): number => margin.left + share * size;
const y = (share: number): number => margin.top + (1 - share) * size;
const round = (value: number): string => String(Math.round(value * 10) / 10);

/**
 * Reliability diagram as an SVG element: share of correct answers against mean prediction, one point for each bin, whose
 * area is its share of the answers; below, how many answers each bin holds. Colours are the page's CSS variables.
 */
export function calibrationPlot(bins: readonly CalibrationBin[]): string {
  const width = margin.left + size + margin.right;
  const height = margin.top + size + margin.bottom + histogramHeight + 24;
  const most = Math.max(1, ...bins.map(({ answers }) => answers));
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="plot-title plot-text">`,
    `<title id="plot-title">Calibration plot</title>`,
    `<desc id="plot-text">Share of correct answers against predicted probability in ten bins; the figures stand in the table beside it.</desc>`,
    ...axes(),
    `<line class="ideal" x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}"/>`,
    polyline(bins),
    ...bins.map((bin) => point(bin, most)),
    ...bins.map((bin) => bar(bin, most, height)),
    `<text x="${x(0.5)}" y="${height - 4}" text-anchor="middle">answers in each bin</text>`,
    "</svg>",
  ].join("\n");
}

function axes(): string[] {
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];
  return [
    ...ticks.flatMap((tick) => [
      `<line class="grid" x1="${x(tick)}" y1="${y(0)}" x2="${x(tick)}" y2="${y(1)}"/>`,
      `<line class="grid" x1="${x(0)}" y1="${y(tick)}" x2="${x(1)}" y2="${y(tick)}"/>`,
      `<text x="${x(tick)}" y="${y(0) + 18}" text-anchor="middle">${tick.toFixed(1)}</text>`,
      `<text x="${x(0) - 8}" y="${y(tick) + 4}" text-anchor="end">${tick.toFixed(1)}</text>`,
    ]),
    `<text x="${x(0.5)}" y="${y(0) + 38}" text-anchor="middle">predicted probability</text>`,
    `<text transform="translate(14 ${y(0.5)}) rotate(-90)" text-anchor="middle">share correct</text>`,
  ];
}

function polyline(bins: readonly CalibrationBin[]): string {
  const points = bins.flatMap(({ predicted, observed }) =>
    predicted === null || observed === null ? [] : [`${round(x(predicted))},${round(y(observed))}`],
  );
  return `<polyline class="observed" points="${points.join(" ")}"/>`;
}

function point({ predicted, observed, answers }: CalibrationBin, most: number): string {
  if (predicted === null || observed === null) return "";
  const radius = 3 + 7 * Math.sqrt(answers / most);
  const label = `${answers} answers: predicted ${predicted.toFixed(3)}, correct ${observed.toFixed(3)}`;
  return `<circle class="bin" cx="${round(x(predicted))}" cy="${round(y(observed))}" r="${round(radius)}"><title>${label}</title></circle>`;
}

function bar({ from, to, answers }: CalibrationBin, most: number, height: number): string {
  const tall = (answers / most) * histogramHeight;
  const top = height - 20 - tall;
  const wide = x(to) - x(from) - 2;
  return `<rect class="count" x="${round(x(from) + 1)}" y="${round(top)}" width="${round(wide)}" height="${round(tall)}"><title>${answers} answers</title></rect>`;
}
