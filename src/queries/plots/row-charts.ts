import type { Axis } from "./axes.ts";
import { dot, type Frame, frameOf, type Mark, type PlotText, seriesClass, shortened, widthOf } from "./frame.ts";
import { element, textElement, tip } from "./markup.ts";

/** A value of a named row, with the ends of its interval where it has one. */
export interface RowValue {
  readonly name: string;
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
  /** Written at the end of a bar, and shown for a point; default the value. */
  readonly label?: string;
  /** Rows of one name stand together, told apart by this. */
  readonly series?: string;
}

export interface RowChart extends PlotText {
  readonly rows: readonly RowValue[];
  /** The axis of the values, along the bottom. */
  readonly value: Axis;
  readonly marks?: readonly Mark[];
}

/** Bars from zero, one for each row, from above: SVG as high as the rows need. */
export function barChart(chart: RowChart): string {
  const longest = Math.max(0, ...chart.rows.map(({ label }) => widthOf(label ?? "00,000")));
  return rowChart(
    chart,
    { shape: "bar", right: 14 + longest },
    ({ value, label, series, place, high: thick, frame, low, top }) => {
      const zero = frame.x.at(0);
      const end = frame.x.at(value);
      const [from, to] = end < zero ? [end, zero] : [zero, end];
      const text = label ?? frame.x.text(value);
      const behind = Math.max(to, top === undefined ? to : frame.x.at(top)) + 6;
      return [
        element(
          "rect",
          {
            class: `bar ${seriesClass(series)}`,
            x: from,
            y: place - thick / 2,
            width: Math.max(1, to - from),
            height: thick,
          },
          tip(text),
        ),
        low === undefined || top === undefined ? "" : whisker(frame, low, top, place, 5),
        textElement("text", { class: "label", x: behind, y: place + 4 }, text),
      ].join("");
    },
  );
}

/** A point with its interval for each row, from above; rows of one name stand together: SVG. */
export function intervalChart(chart: RowChart): string {
  return rowChart(chart, { shape: "dot", right: 20 }, ({ value, label, series, place, frame, low, top }) => {
    const interval = low === undefined || top === undefined ? "" : whisker(frame, low, top, place, series);
    const range = low === undefined || top === undefined ? "" : ` (${frame.x.text(low)} to ${frame.x.text(top)})`;
    return interval + dot(series, frame.x.at(value), place, 4.5, tip(label ?? `${frame.x.text(value)}${range}`));
  });
}

interface PlacedRow {
  readonly value: number;
  readonly low: number | undefined;
  readonly top: number | undefined;
  readonly label: string | undefined;
  readonly series: number;
  /** Middle of the row and its height, pixels. */
  readonly place: number;
  readonly high: number;
  readonly frame: Frame;
}

interface RowShape {
  readonly shape: "bar" | "dot";
  /** Pixels right of the drawing. */
  readonly right: number;
}

function rowChart(chart: RowChart, { shape, right }: RowShape, draw: (row: PlacedRow) => string): string {
  const { rows } = chart;
  const names = [...new Set(rows.map(({ name }) => name))];
  const series = [...new Set(rows.map((row) => row.series ?? ""))];
  const longest = Math.max(0, ...names.map(widthOf));
  const left = Math.min(230, Math.max(58, longest + 20));
  const [step, pad] = [series.length === 1 ? 24 : 15, series.length === 1 ? 0 : 8];
  const block = series.length * step + pad;
  const frame = frameOf({
    ...chart,
    x: chart.value,
    xs: rows.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]),
    ys: [],
    left,
    right,
    height: Math.max(1, names.length) * block,
    legend: series.length < 2 ? [] : series.map((name, k) => ({ name, series: k, shape })),
  });
  const blockOf = new Map(names.map((name, k) => [name, frame.top + k * block]));
  const drawn = rows.map(({ name, value, low, high, label, series: of = "" }) => {
    const k = series.indexOf(of);
    const place = (blockOf.get(name) ?? 0) + pad / 2 + (k + 0.5) * step;
    return draw({ value, low, top: high, label, series: k, place, high: step - (series.length === 1 ? 8 : 3), frame });
  });
  const titles = names.map((name) =>
    textElement(
      "text",
      { class: "label", x: left - 8, y: (blockOf.get(name) ?? 0) + block / 2 + 4, "text-anchor": "end" },
      shortened(name, left - 12),
    ),
  );
  return frame.finish([...titles, ...drawn]);
}

function whisker(frame: Frame, low: number, high: number, place: number, series: number): string {
  const [x1, x2] = [frame.x.at(low), frame.x.at(high)];
  const colour = `whisker ${seriesClass(series)}`;
  return [
    element("line", { class: colour, x1, y1: place, x2, y2: place }),
    element("line", { class: colour, x1, y1: place - 4, x2: x1, y2: place + 4 }),
    element("line", { class: colour, x1: x2, y1: place - 4, x2, y2: place + 4 }),
  ].join("");
}
