import { area, curveLinear, curveStepAfter, line } from "d3-shape";
import type { Axis } from "./axes.ts";
import { dot, type Frame, frameOf, type Mark, type PlotText, seriesClass } from "./frame.ts";
import { element, tip } from "./markup.ts";

export interface LinePoint {
  readonly x: number;
  /** Null leaves a gap. */
  readonly y: number | null;
  /** Ends of an interval, drawn as a band. */
  readonly low?: number;
  readonly high?: number;
  /** What a mouse resting on the point shows. */
  readonly label?: string;
}

export interface LineSeries {
  readonly name: string;
  readonly points: readonly LinePoint[];
  /** "line" (default), "steps" (each value holds until the next), "dots" (points only, with whiskers for intervals). */
  readonly drawn?: "line" | "steps" | "dots";
  /** Marks its points too; default only where a point has a label. */
  readonly dots?: boolean;
}

export interface LineChart extends PlotText {
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly LineSeries[];
  readonly marks?: readonly Mark[];
}

/** Lines, steps or points against a number or a time, each with a band or whiskers where it has an interval: SVG. */
export function lineChart(chart: LineChart): string {
  const points = chart.series.flatMap((each) => each.points);
  const frame = frameOf({
    ...chart,
    xs: points.map(({ x }) => x),
    ys: points.flatMap(({ y, low, high }) => [y, low, high].filter((each) => typeof each === "number")),
    legend:
      chart.series.length < 2
        ? []
        : chart.series.map(({ name, drawn }, series) => ({ name, series, shape: drawn === "dots" ? "dot" : "line" })),
  });
  return frame.finish(chart.series.map((series, k) => drawSeries(series, k, frame)));
}

function drawSeries({ points, drawn = "line", dots }: LineSeries, k: number, frame: Frame): string {
  const { x, y } = frame;
  const colour = seriesClass(k);
  const marks = points
    .filter(({ label }) => dots ?? (drawn === "dots" || label !== undefined))
    .map((point) => drawDot(point, k, frame));
  if (drawn === "dots") return points.map((point) => whisker(point, k, frame)).join("") + marks.join("");
  const curve = drawn === "steps" ? curveStepAfter : curveLinear;
  const path = line<LinePoint>()
    .defined((point) => point.y !== null)
    .x((point) => x.at(point.x))
    .y((point) => y.at(point.y ?? 0))
    .curve(curve)
    .digits(1);
  const band = area<LinePoint>()
    .defined(({ low, high }) => low !== undefined && high !== undefined)
    .x((point) => x.at(point.x))
    .y0((point) => y.at(point.low ?? 0))
    .y1((point) => y.at(point.high ?? 0))
    .curve(curve)
    .digits(1);
  const bandPath = band([...points]);
  return [
    bandPath ? element("path", { class: `band ${colour}`, d: bandPath }) : "",
    element("path", { class: `line ${colour}`, d: path([...points]) ?? "" }),
    ...marks,
  ].join("");
}

function drawDot({ x, y, label }: LinePoint, k: number, frame: Frame): string {
  return y === null ? "" : dot(k, frame.x.at(x), frame.y.at(y), 4, tip(label));
}

function whisker({ x, low, high }: LinePoint, k: number, frame: Frame): string {
  if (low === undefined || high === undefined) return "";
  const at = frame.x.at(x);
  return element("line", {
    class: `whisker ${seriesClass(k)}`,
    x1: at,
    y1: frame.y.at(low),
    x2: at,
    y2: frame.y.at(high),
  });
}
