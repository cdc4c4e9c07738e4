import type { Axis } from "./axes.ts";
import { frameOf, type Mark, type PlotText, seriesClass } from "./frame.ts";
import { element, tip } from "./markup.ts";

export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

export interface Histogram extends PlotText {
  readonly bins: readonly Bin[];
  readonly x: Axis;
  /** Of the counts. */
  readonly y: Axis;
  readonly marks?: readonly Mark[];
  readonly height?: number;
  readonly width?: number;
}

/** How often values fall into each bin: SVG. */
export function histogram(chart: Histogram): string {
  const { bins } = chart;
  const frame = frameOf({
    ...chart,
    x: {
      ...(bins.length === 0
        ? {}
        : { min: Math.min(...bins.map(({ from }) => from)), max: Math.max(...bins.map(({ to }) => to)) }),
      ...chart.x,
    },
    y: { whole: true, ...chart.y },
    xs: bins.flatMap(({ from, to }) => [from, to]),
    ys: bins.map(({ count }) => count),
  });
  const { x, y, bottom } = frame;
  return frame.finish(
    bins.map(({ from, to, count }) => {
      const [left, right, top] = [x.at(from) + 1, x.at(to) - 1, y.at(count)];
      return element(
        "rect",
        { class: `bar ${seriesClass(0)}`, x: left, y: top, width: Math.max(0.5, right - left), height: bottom - top },
        tip(`${x.text(from)} to ${x.text(to)}: ${count}`),
      );
    }),
  );
}

/** Counts of values in `count` bins of one width from `from` to `to`; values beyond an end are in the last bin there. */
export function binsOf(values: Iterable<number>, from: number, to: number, count: number): Bin[] {
  const counts = new Array<number>(count).fill(0);
  const width = (to - from) / count;
  for (const value of values) {
    const k = Math.min(count - 1, Math.max(0, Math.floor((value - from) / width + 1e-9)));
    counts[k] = (counts[k] ?? 0) + 1;
  }
  return counts.map((each, k) => ({ from: from + k * width, to: from + (k + 1) * width, count: each }));
}
