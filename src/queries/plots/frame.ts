import { type Axis, type Scale, scaleOf } from "./axes.ts";
import { element, textElement } from "./markup.ts";
import { plotStyle, seriesCount } from "./plot-style.ts";

/** What each plot says in words: a title that is drawn, and a description for those who cannot see the drawing. */
export interface PlotText {
  readonly title: string;
  readonly description: string;
}

/** A straight line at a value of an axis, with its name. */
export interface Mark {
  readonly axis: "x" | "y";
  readonly at: number;
  readonly label: string;
}

export interface LegendEntry {
  readonly name: string;
  readonly series: number;
  readonly shape: "line" | "steady" | "dot" | "bar";
}

export interface FrameInput extends PlotText {
  readonly x: Axis;
  readonly y?: Axis;
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  readonly marks?: readonly Mark[];
  readonly legend?: readonly LegendEntry[];
  /** Pixels left of the drawing; for names of rows more than the default. */
  readonly left?: number;
  /** Pixels right of it; for what is written at the end of a bar more than the default. */
  readonly right?: number;
  /** Pixels of the drawing itself. */
  readonly height?: number;
  readonly width?: number;
}

/** Where a plot draws: scales, and what surrounds the drawing. */
export interface Frame {
  readonly x: Scale;
  readonly y: Scale;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** The whole plot, around what was drawn in the frame. */
  readonly finish: (drawing: readonly string[]) => string;
}

/** Width of text of 12 pixels, near enough for legends. */
export const widthOf = (text: string): number => text.length * 6.6;

export const shortened = (text: string, pixels: number): string => {
  const letters = Math.max(1, Math.floor(pixels / 6.6));
  return text.length <= letters ? text : `${text.slice(0, letters - 1).trimEnd()}…`;
};

export const seriesClass = (series: number): string => `s${series % seriesCount}`;

/** SVG of 640 pixels width that fits any page; without `y` the rows of the drawing have no axis of their own. */
export function frameOf(input: FrameInput): Frame {
  const width = input.width ?? 640;
  const left = input.left ?? 58;
  const right = width - (input.right ?? 20);
  const rows = legendRows(input.legend ?? [], width - 24);
  // Names of marks across stand above the drawing, where no row is.
  const above = input.y === undefined && input.marks?.some(({ axis }) => axis === "x") === true ? 14 : 0;
  const top = 36 + rows.length * 20 + above;
  const bottom = top + (input.height ?? 250);
  const total = bottom + 48;
  const x = scaleOf(input.x, [...input.xs, ...atsOf(input, "x")], left, right);
  const y = scaleOf(input.y ?? { label: "", min: 0, max: 1 }, [...input.ys, ...atsOf(input, "y")], bottom, top);
  const frame = { x, y, left, right, top, bottom };
  const finish = (drawing: readonly string[]): string =>
    element(
      "svg",
      {
        xmlns: "http://www.w3.org/2000/svg",
        class: "plot",
        viewBox: `0 0 ${width} ${total}`,
        width,
        height: total,
        role: "img",
        "aria-label": `${input.title}. ${input.description}`,
      },
      textElement("title", {}, input.title),
      textElement("desc", {}, input.description),
      element("style", {}, plotStyle),
      element("rect", { class: "paper", width, height: total }),
      textElement("text", { class: "name", x: 12, y: 22 }, shortened(input.title, width * 0.8)),
      ...rows.flatMap((row, k) => row.map((entry) => legendEntry(entry, 44 + k * 20))),
      ...grid(frame, input.y !== undefined),
      ...drawing,
      ...(input.marks ?? []).map((mark) => markLine(mark, frame, above > 0 ? top - 4 : top + 11)),
    );
  return { ...frame, finish };
}

const atsOf = ({ marks = [] }: FrameInput, axis: "x" | "y"): number[] =>
  marks.filter((mark) => mark.axis === axis).map(({ at }) => at);

type Edges = Omit<Frame, "finish">;

function grid({ x, y, left, right, top, bottom }: Edges, withY: boolean): string[] {
  const across = withY
    ? y.ticks.flatMap(({ at, text }) => [
        element("line", { class: "grid", x1: left, y1: at, x2: right, y2: at }),
        textElement("text", { x: left - 8, y: at + 4, "text-anchor": "end" }, text),
      ])
    : [];
  return [
    ...x.ticks.flatMap(({ at, text }) => [
      element("line", { class: "grid", x1: at, y1: top, x2: at, y2: bottom }),
      textElement("text", { x: at, y: bottom + 17, "text-anchor": "middle" }, text),
    ]),
    ...across,
    textElement("text", { x: (left + right) / 2, y: bottom + 37, "text-anchor": "middle" }, x.label),
    withY
      ? textElement(
          "text",
          { transform: `translate(14 ${Math.round((top + bottom) / 2)}) rotate(-90)`, "text-anchor": "middle" },
          y.label,
        )
      : "",
  ];
}

function markLine({ axis, at, label }: Mark, { x, y, left, right, top, bottom }: Edges, labelY: number): string {
  if (axis === "y") {
    const level = y.at(at);
    return (
      element("line", { class: "mark", x1: left, y1: level, x2: right, y2: level }) +
      textElement("text", { class: "halo", x: right - 4, y: level - 5, "text-anchor": "end" }, label)
    );
  }
  const place = x.at(at);
  const atEnd = place > (left + right) / 2;
  return (
    element("line", { class: "mark", x1: place, y1: top, x2: place, y2: bottom }) +
    textElement(
      "text",
      { class: "halo", x: place + (atEnd ? -5 : 5), y: labelY, "text-anchor": atEnd ? "end" : "start" },
      label,
    )
  );
}

type PlacedEntry = LegendEntry & { readonly x: number };

function legendRows(entries: readonly LegendEntry[], width: number): PlacedEntry[][] {
  const rows: PlacedEntry[][] = [];
  let x = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const wide = 30 + widthOf(shortened(entry.name, width - 40)) + 18;
    if (x + wide > width) {
      rows.push([]);
      x = 12;
    }
    rows.at(-1)?.push({ ...entry, x });
    x += wide;
  }
  return rows;
}

function legendEntry({ name, series, shape, x }: PlacedEntry, y: number): string {
  const colour = seriesClass(series);
  const key = {
    line: () => element("line", { class: `line ${colour}`, x1: x, y1: y - 4, x2: x + 24, y2: y - 4 }),
    steady: () => element("line", { class: `line steady ${colour}`, x1: x, y1: y - 4, x2: x + 24, y2: y - 4 }),
    dot: () => dot(series, x + 12, y - 4, 4.5),
    bar: () => element("rect", { class: `bar ${colour}`, x: x + 6, y: y - 10, width: 12, height: 12 }),
  }[shape]();
  return key + textElement("text", { class: "label", x: x + 30, y }, name);
}

/** A point of a series: circles, squares, triangles and diamonds by turns, `r` its half width. */
export function dot(series: number, x: number, y: number, r: number, ...children: string[]): string {
  const place = { class: `dot ${seriesClass(series)}` };
  switch (series % 4) {
    case 0:
      return element("circle", { ...place, cx: x, cy: y, r }, ...children);
    case 1:
      return element("rect", { ...place, x: x - r, y: y - r, width: 2 * r, height: 2 * r }, ...children);
    case 2:
      return polygon(place, [x, y - r, x + r, y + r, x - r, y + r], children);
    default:
      return polygon(place, [x, y - r - 1, x + r + 1, y, x, y + r + 1, x - r - 1, y], children);
  }
}

function polygon(place: { readonly class: string }, numbers: readonly number[], children: readonly string[]): string {
  return element(
    "polygon",
    { ...place, points: numbers.map((each) => Math.round(each * 10) / 10).join(" ") },
    ...children,
  );
}
