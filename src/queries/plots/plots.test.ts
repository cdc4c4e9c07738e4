import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scaleOf } from "./axes.ts";
import { binsOf, histogram } from "./histogram.ts";
import { htmlPage } from "./html-page.ts";
import { type LinePoint, lineChart } from "./line-chart.ts";
import { barChart, intervalChart } from "./row-charts.ts";
import { scatterChart } from "./scatter-chart.ts";

const hostile = `<script>alert("1")</script> & 'x'\u0000`;
const words = { title: hostile, description: hostile };
const points = [
  { x: 1, y: 0.5, low: 0.4, high: 0.6, label: hostile },
  { x: 2, y: null },
  { x: 3, y: 0.2 },
];
const charts: Record<string, () => string> = {
  lines: () =>
    lineChart({
      ...words,
      x: { label: hostile, whole: true },
      y: { label: "share", format: "percent", min: 0, max: 1 },
      series: [
        { name: hostile, points, drawn: "dots" },
        { name: "b", points },
        { name: "c", points, drawn: "steps" },
      ],
      marks: [{ axis: "y", at: 0.3, label: hostile }],
    }),
  bars: () =>
    barChart({ ...words, value: { label: "n" }, rows: [{ name: hostile, value: 3, low: 2, high: 4, label: hostile }] }),
  intervals: () =>
    intervalChart({
      ...words,
      value: { label: "n" },
      rows: [
        { name: hostile, value: 3, low: 2, high: 4, series: hostile },
        { name: hostile, value: 5, series: "b" },
      ],
      marks: [{ axis: "x", at: 3, label: hostile }],
    }),
  scatter: () =>
    scatterChart({
      ...words,
      x: { label: "x", min: 0, max: 1 },
      y: { label: "y", min: 0, max: 1 },
      series: [{ name: hostile, points: [{ x: 0.5, y: 0.5, size: 1, label: hostile }], joined: true }],
      diagonal: true,
    }),
  histogram: () => histogram({ ...words, x: { label: hostile }, y: { label: "n" }, bins: binsOf([1, 2, 2], 0, 4, 4) }),
};

describe.each(Object.entries(charts))("%s", (_, draw) => {
  test("is well-formed and says what it shows", () => {
    const svg = draw();
    expect(unclosed(svg)).toEqual([]);
    expect(svg).toMatch(/^<svg xmlns="[^"]+" class="plot" viewBox="0 0 [\d. ]+" [^>]*role="img" aria-label="[^"]+"/);
    expect(svg).toMatch(/<title>.*<\/title><desc>.*<\/desc>/);
  });

  test("escapes what it is given, and needs nothing from elsewhere", () => {
    const svg = draw();
    expect(svg).not.toContain("<script");
    expect(svg).not.toContain("\u0000");
    expect(svg).toContain("&lt;script&gt;");
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:|href|url\(|@import/);
  });

  test("has numbers only, in light, dark and on paper", () => {
    const svg = draw();
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(svg).toContain("prefers-color-scheme:dark");
    expect(svg).toContain("@media print");
  });

  test("is the same each time", () => {
    expect(draw()).toBe(draw());
  });
});

test("a gap parts a line, and dots stand where values are", () => {
  const svg = lineChart({
    title: "t",
    description: "d",
    x: { label: "x" },
    y: { label: "y" },
    series: [{ name: "a", points, dots: true }],
  });
  expect(/<path class="line s0" d="([^"]*)"/.exec(svg)?.[1]?.match(/M/g)).toHaveLength(2);
  expect(svg.match(/<circle /g)).toHaveLength(2);
});

test("a bar is as long as its value: half the axis for half of it", () => {
  const svg = barChart({
    title: "t",
    description: "d",
    value: { label: "n", min: 0, max: 10 },
    rows: [
      { name: "a", value: 10 },
      { name: "b", value: 5 },
    ],
  });
  const widths = [...svg.matchAll(/class="bar s0" x="[\d.]+" y="[\d.]+" width="([\d.]+)"/g)].map((each) =>
    Number(each[1]),
  );
  expect(widths).toHaveLength(2);
  expect(widths[0]).toBe(2 * (widths[1] ?? 0));
});

test("no rows and no points are drawn as an empty plot", () => {
  for (const svg of [
    lineChart({ title: "t", description: "d", x: { label: "x" }, y: { label: "y" }, series: [] }),
    barChart({ title: "t", description: "d", value: { label: "n" }, rows: [] }),
    histogram({ title: "t", description: "d", x: { label: "x" }, y: { label: "y" }, bins: [] }),
  ]) {
    expect(unclosed(svg)).toEqual([]);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  }
});

describe("an axis", () => {
  test("spans its data to round numbers, from zero", () => {
    expect(scaleOf({ label: "" }, [0.3, 9.7], 0, 100).ticks.map(({ at, text }) => [at, text])).toEqual([
      [0, "0"],
      [20, "2"],
      [40, "4"],
      [60, "6"],
      [80, "8"],
      [100, "10"],
    ]);
  });

  test("writes shares in per cent and dates in UTC", () => {
    expect(scaleOf({ label: "", format: "percent", min: 0, max: 1 }, [], 0, 1).ticks.map(({ text }) => text)).toEqual([
      "0 %",
      "20 %",
      "40 %",
      "60 %",
      "80 %",
      "100 %",
    ]);
    const from = Date.UTC(2026, 0, 1);
    const date = scaleOf({ label: "", format: "date", min: from, max: from + 86_400_000 }, [], 0, 1);
    expect(date.text(from)).toBe("2026-01-01");
  });

  test("an end that is given stays; a value beyond it is drawn at it", () => {
    const scale = scaleOf({ label: "", min: 1, max: 7.3 }, [40], 0, 63);
    expect([scale.at(1), scale.at(7.3), scale.at(40), scale.at(-4)]).toEqual([0, 63, 63, 0]);
  });

  test("values that differ by next to nothing are one", () => {
    for (const [low, high] of [
      [0, 5e-324],
      [0, 1e-13],
      [7, 7 + 1e-15],
      [1e15, 1e15],
    ] as const) {
      const { ticks, at } = scaleOf({ label: "", min: low, max: high }, [low, high], 0, 100);
      expect(ticks.length).toBeLessThan(20);
      expect(at(low)).toBe(0);
    }
  });

  test("for any numbers every place is a pixel of it", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e12, max: 1e12 }), { maxLength: 20 }), (values) => {
        const scale = scaleOf({ label: "" }, values, 50, 600);
        for (const value of values) {
          expect(scale.at(value)).toBeGreaterThanOrEqual(50);
          expect(scale.at(value)).toBeLessThanOrEqual(600);
        }
      }),
    );
  });
});

test("for any points a line chart is well-formed", () => {
  const point = fc.record<LinePoint>({
    x: fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
    y: fc.option(fc.double({ noNaN: true, min: -1e9, max: 1e9 })),
  });
  fc.assert(
    fc.property(fc.array(point), fc.string(), (points, name) => {
      const svg = lineChart({
        title: name,
        description: name,
        x: { label: name },
        y: { label: name },
        series: [{ name, points }],
      });
      expect(svg).not.toMatch(/NaN|Infinity/);
      expect(unclosed(svg)).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test("bins hold each value once, those beyond the ends too", () => {
  expect(binsOf([-1, 0, 0.1, 0.5, 0.99, 1, 3], 0, 1, 2).map(({ count }) => count)).toEqual([3, 4]);
});

describe("a page", () => {
  const page = htmlPage({
    title: hostile,
    sections: [
      {
        blocks: [
          { kind: "text", text: hostile },
          { kind: "figures", figures: [{ name: hostile, value: hostile }] },
        ],
      },
      {
        title: hostile,
        id: "a",
        blocks: [
          {
            kind: "table",
            head: [hostile, { name: "n", numeric: true, help: hostile }],
            rows: [[{ text: hostile, tone: "bad", href: "#a" }, "1"]],
            caption: hostile,
          },
          {
            kind: "beside",
            blocks: [
              { kind: "plot", svg: charts.bars?.() ?? "", caption: hostile },
              { kind: "list", items: [hostile] },
            ],
          },
        ],
      },
      { title: "b", blocks: [] },
      { title: "c", blocks: [] },
      { title: "d", blocks: [] },
    ],
  });

  test("is well-formed, escaped, and needs nothing but itself", () => {
    expect(unclosed(page.replace(/<meta [^>]*>/g, "").replace("<!doctype html>", ""))).toEqual([]);
    expect(page).not.toContain("<script");
    expect(page.replaceAll('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
      /https?:|src=|href="[^#]|url\(|@import/,
    );
  });

  test("says what a reader by ear needs: language, headings, captions, scopes, a way into each scrolling table", () => {
    expect(page).toContain('<html lang="en">');
    expect(page.match(/<h1>/g)).toHaveLength(1);
    expect(page).toContain("<caption>");
    expect(page).toContain('<th scope="col" class="number">n</th>');
    expect(page).toContain('<th scope="row">');
    expect(page).toMatch(/<div class="scroll" role="region" aria-label="[^"]+" tabindex="0">/);
    expect(page).toContain('<nav aria-label="Contents">');
  });

  test("takes no markup but a plot's, and no link that leads away", () => {
    const of = (block: Parameters<typeof htmlPage>[0]["sections"][number]["blocks"][number]) => () =>
      htmlPage({ title: "t", sections: [{ blocks: [block] }] });
    expect(of({ kind: "plot", svg: "<img>" })).toThrow("a plot of a page is an SVG element");
    expect(of({ kind: "list", items: [{ text: "x", href: "javascript:alert(1)" }] })).toThrow("leads to the report");
  });
});

/** Names of elements that are opened and not closed, or closed and not opened. */
function unclosed(markup: string): string[] {
  const open: string[] = [];
  for (const [, end, name = "", own] of markup.matchAll(/<(\/?)([a-zA-Z][a-zA-Z0-9]*)(?:"[^"]*"|[^">])*?(\/?)>/g)) {
    if (own === "/") continue;
    if (end !== "/") open.push(name);
    else if (open.at(-1) === name) open.pop();
    else open.push(`/${name}`);
  }
  return open;
}
