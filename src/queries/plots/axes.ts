import { type ScaleLinear, type ScaleLogarithmic, scaleLinear, scaleLog, scaleUtc } from "d3-scale";

/** One axis of a plot. Without `min` and `max` it spans its data, to round numbers; zero is in it unless `min` says else. */
export interface Axis {
  readonly label: string;
  readonly min?: number;
  readonly max?: number;
  /** "percent": shares 0..1 are written 0 % .. 100 %. "date": milliseconds since 1970, in UTC. Default "number". */
  readonly format?: "number" | "percent" | "date";
  /** "log" needs values above 0. Default "linear". */
  readonly scale?: "linear" | "log";
  /** About how many marks along it. */
  readonly ticks?: number;
  /** Marks at whole numbers only. */
  readonly whole?: boolean;
}

export interface Scale {
  /** Pixel of a value; outside the axis it is the nearer end. */
  readonly at: (value: number) => number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  readonly text: (value: number) => string;
  readonly label: string;
}

/** `values` are what will be drawn on it; `from` and `to` its ends in pixels. */
export function scaleOf(axis: Axis, values: readonly number[], from: number, to: number): Scale {
  const [low, high] = ends(axis, values);
  const count = axis.ticks ?? 5;
  if (axis.format === "date") {
    const scale = scaleUtc().domain([low, high]).range([from, to]).clamp(true);
    const text = scale.tickFormat(count);
    return {
      at: (value) => scale(value),
      ticks: scale.ticks(count).map((tick) => ({ at: scale(tick), text: text(tick) })),
      text: (value) => new Date(value).toISOString().slice(0, 10),
      label: axis.label,
    };
  }
  const linear = scaleLinear().domain([low, high]);
  if (axis.min === undefined || axis.max === undefined) linear.nice(count);
  // A round number beyond an end that was given is no better than that end.
  const [niceLow = low, niceHigh = high] = linear.domain();
  const scale: ScaleLinear<number, number> | ScaleLogarithmic<number, number> =
    axis.scale === "log"
      ? scaleLog().domain([low, high])
      : linear.domain([axis.min === undefined ? niceLow : low, axis.max === undefined ? niceHigh : high]);
  scale.range([from, to]).clamp(true);
  const tickText = scale.tickFormat(count, axis.whole === true ? ",d" : undefined);
  const text = textOf(axis, tickText);
  const ticks = scale
    .ticks(count)
    .filter((tick) => axis.whole !== true || Number.isInteger(tick))
    // On a logarithmic axis d3 names as many as there is room for.
    .filter((tick) => axis.scale !== "log" || tickText(tick) !== "")
    .map((tick) => ({ at: scale(tick), text: text(tick) }));
  return { at: (value) => scale(value), ticks, text, label: axis.label };
}

function ends({ min, max, scale }: Axis, values: readonly number[]): [number, number] {
  let low = scale === "log" ? Number.POSITIVE_INFINITY : 0;
  let high = scale === "log" ? 0 : Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (scale !== "log" || value > 0) low = Math.min(low, value);
    high = Math.max(high, value);
  }
  low = min ?? (Number.isFinite(low) ? low : 1);
  high = max ?? (Number.isFinite(high) && high > low ? high : low + 1);
  // Marks between two values that are the same but for rounding would be without number, and d3 throws.
  const least = Math.max(1e-12, 1e-12 * Math.abs(low));
  return [low, high - low > least ? high : low + Math.max(1, Math.abs(low) / 10)];
}

function textOf({ format, scale }: Axis, tickText: (value: number) => string): (value: number) => string {
  if (format === "percent") return (value) => `${round(value * 100)} %`;
  return scale === "log" ? (value) => round(value) : tickText;
}

const round = (value: number): string => String(Math.round(value * 100) / 100);
