import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { latestOf, type Series } from "../model/series.ts";
import { useTheme } from "./theme.tsx";

const height = 180;
const lineColors = 6;

/** Lines over time, drawn on a canvas; what they say last stands beside them in words. */
export function Chart(props: {
  readonly title: string;
  readonly series: Series;
  readonly format: (value: number | null) => string;
}) {
  const { title, series, format } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  const lines = series.names.join("|");

  // A new plot for other lines or colours; else it is handed the new points.
  useEffect(() => {
    const element = place.current;
    if (element === null || lines === "") return;
    const drawn = new uPlot(optionsOf(element, lines.split("|"), format), dataOf(series), element);
    plot.current = drawn;
    const resized = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      drawn.destroy();
      plot.current = null;
    };
  }, [lines, theme]);
  useEffect(() => plot.current?.setData(dataOf(series)), [series]);

  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={place} class="plot" aria-hidden="true" />
      <ul class="legend" aria-label={`${title}, latest`}>
        {latestOf(series).map(({ name, value }, at) => (
          <li key={name}>
            <span class={`swatch line-${(at % lineColors) + 1}`} aria-hidden="true" />
            {name} <b>{format(value)}</b>
          </li>
        ))}
      </ul>
    </figure>
  );
}

const dataOf = ({ columns }: Series): uPlot.AlignedData => columns as unknown as uPlot.AlignedData;

function optionsOf(
  element: HTMLElement,
  names: readonly string[],
  format: (value: number | null) => string,
): uPlot.Options {
  const [ink, grid] = [colorOf(element, "--muted"), colorOf(element, "--rule")];
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  return {
    ...{ width: Math.max(200, element.clientWidth), height, legend: { show: false }, cursor: { show: false } },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, (max ?? 0) * 1.1)] } },
    axes: [
      { ...axis, values: (_plot, values) => values.map(clock) },
      { ...axis, size: 64, values: (_plot, values) => values.map(format) },
    ],
    series: [
      {},
      ...names.map((label, at) => ({
        ...{ label, width: 2, points: { show: false }, spanGaps: false },
        stroke: colorOf(element, `--line-${(at % lineColors) + 1}`),
      })),
    ],
  };
}

/** Of a time in seconds since 1970. */
const clock = (seconds: number): string => new Date(seconds * 1000).toLocaleTimeString("en-GB");

/** A canvas knows no variables of CSS: what this one is just now. */
function colorOf(element: HTMLElement, variable: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${variable})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
