import { type LineSeries, lineChart } from "../../src/queries/plots/line-chart.ts";
import type { Result } from "../runner/result.ts";

/** The plots of one run, or of several over one another: then each series has the name of its run in it. */
export interface Run {
  /** Empty where there is one run. */
  readonly label: string;
  readonly result: Result;
}

export interface Chart {
  readonly caption: string;
  readonly svg: string;
}

export interface ChartText {
  readonly title: string;
  readonly y: string;
  readonly caption: string;
  readonly log?: boolean;
  /** Of shares: up to the largest, or to all. */
  readonly percent?: "largest" | "all";
  readonly marks?: readonly { readonly at: number; readonly label: string }[];
}

export type Read<T> = (point: T) => number | null;
export type Lines<T> = readonly (readonly [name: string, read: Read<T>])[];

const seconds = { label: "seconds from the start" } as const;
/** A point in a plot of 640 pixels is enough for each two of them. */
const pointsMax = 300;

/** Null where nothing of it was measured. */
export function chartOf<T extends { readonly t: number }>(
  runs: readonly Run[],
  pointsOf: (result: Result) => readonly T[],
  lines: (result: Result) => Lines<T>,
  { title, y, caption, log, percent, marks = [] }: ChartText,
): Chart | null {
  const series = runs.flatMap(({ label, result }) =>
    lines(result).flatMap(([name, read]): LineSeries[] => {
      const points = pointsOf(result).map((point) => ({ x: point.t, y: read(point) }));
      if (points.every((point) => point.y === null)) return [];
      // A logarithm has no zero.
      const drawn = points.map((point) =>
        log === true && point.y !== null && point.y <= 0 ? { ...point, y: null } : point,
      );
      return [{ name: [label, name].filter((part) => part !== "").join(": "), points: thinned(drawn) }];
    }),
  );
  if (series.length === 0) return null;
  const svg = lineChart({
    ...{ title, description: caption, x: seconds, series },
    y: {
      label: y,
      ...(log === true ? { scale: "log" } : {}),
      ...(percent === undefined ? {} : { format: "percent" }),
      ...(percent === "all" ? { min: 0, max: 1 } : {}),
    },
    marks: marks.map((mark) => ({ axis: "y", ...mark })),
  });
  return { caption, svg };
}

/** The largest of each stretch: what is thinned out must not be the peaks. */
function thinned<T extends { readonly y: number | null }>(points: readonly T[]): readonly T[] {
  const each = Math.ceil(points.length / pointsMax);
  if (each <= 1) return points;
  const kept: T[] = [];
  for (let from = 0; from < points.length; from += each) {
    const [first, ...rest] = points.slice(from, from + each);
    if (first !== undefined) kept.push(rest.reduce((a, b) => ((b.y ?? -1) > (a.y ?? -1) ? b : a), first));
  }
  return kept;
}
