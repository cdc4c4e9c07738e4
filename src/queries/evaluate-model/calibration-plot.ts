import type { CalibrationBin } from "../../domain/learner-model/metrics.ts";
import type { Axis } from "../plots/axes.ts";
import { histogram } from "../plots/histogram.ts";
import { type ScatterPoint, scatterChart } from "../plots/scatter-chart.ts";

const probability: Axis = { label: "predicted probability", min: 0, max: 1 };

/**
 * Reliability diagram: share of correct answers against mean prediction, one point for each bin, whose area is its share of
 * the answers.
 */
export function calibrationPlot(bins: readonly CalibrationBin[]): string {
  const most = Math.max(1, ...bins.map(({ answers }) => answers));
  return scatterChart({
    title: "Calibration plot",
    description: "Share of correct answers against predicted probability in bins; the figures stand in the table.",
    x: probability,
    y: { label: "share correct", min: 0, max: 1 },
    series: [{ name: "bins", points: bins.flatMap((bin) => pointOf(bin, most)), joined: true }],
    diagonal: true,
    square: true,
  });
}

function pointOf({ predicted, observed, answers }: CalibrationBin, most: number): ScatterPoint[] {
  if (predicted === null || observed === null) return [];
  const label = `${answers} answers: predicted ${predicted.toFixed(3)}, correct ${observed.toFixed(3)}`;
  return [{ x: predicted, y: observed, size: answers / most, label }];
}

/** How many answers each bin holds. */
export function answersPlot(bins: readonly CalibrationBin[]): string {
  return histogram({
    title: "Answers in each bin",
    description: "How many answers were predicted with each probability; the figures stand in the table.",
    x: probability,
    y: { label: "answers", ticks: 3 },
    bins: bins.map(({ from, to, answers }) => ({ from, to, count: answers })),
    width: 460,
  });
}
