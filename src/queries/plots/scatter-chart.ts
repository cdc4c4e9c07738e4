import type { Axis } from "./axes.ts";
import { dot, frameOf, type Mark, type PlotText, seriesClass } from "./frame.ts";
import { element, tip } from "./markup.ts";

export interface ScatterPoint {
  readonly x: number;
  readonly y: number;
  /** Share of the largest point's area, 0..1. Default: all small. */
  readonly size?: number;
  readonly label?: string;
}

export interface ScatterSeries {
  readonly name: string;
  readonly points: readonly ScatterPoint[];
  /** Joins the points in their order. */
  readonly joined?: boolean;
}

export interface ScatterChart extends PlotText {
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly ScatterSeries[];
  readonly marks?: readonly Mark[];
  /** Draws the line on which both values are the same. */
  readonly diagonal?: boolean;
  /** As high as it is wide, for axes of one kind. */
  readonly square?: boolean;
}

/** Points against two numbers, their area a third: SVG. */
export function scatterChart(chart: ScatterChart): string {
  const points = chart.series.flatMap((each) => each.points);
  const frame = frameOf({
    ...chart,
    ...(chart.square === true ? { width: 460, height: 382 } : {}),
    xs: points.map(({ x }) => x),
    ys: points.map(({ y }) => y),
    legend: chart.series.length < 2 ? [] : chart.series.map(({ name }, series) => ({ name, series, shape: "dot" })),
  });
  const { x, y } = frame;
  const from = Math.max(chart.x.min ?? 0, chart.y.min ?? 0);
  const to = Math.min(chart.x.max ?? from, chart.y.max ?? from);
  const diagonal = element("line", { class: "mark", x1: x.at(from), y1: y.at(from), x2: x.at(to), y2: y.at(to) });
  const radius = (size: number | undefined): number => (size === undefined ? 3.5 : 3 + 7 * Math.sqrt(size));
  const drawn = chart.series.map(({ points, joined }, k) => {
    const places = points.map((point) => `${x.at(point.x).toFixed(1)},${y.at(point.y).toFixed(1)}`);
    return [
      joined === true ? element("polyline", { class: `line steady ${seriesClass(k)}`, points: places.join(" ") }) : "",
      ...points.map((point) => dot(k, x.at(point.x), y.at(point.y), radius(point.size), tip(point.label))),
    ].join("");
  });
  return frame.finish([chart.diagonal === true ? diagonal : "", ...drawn]);
}
