import type { ClientPoint } from "../runner/result.ts";
import { type Chart, type ChartText, chartOf, type Lines, type Run } from "./charts.ts";

const client = (runs: readonly Run[], lines: Lines<ClientPoint>, text: ChartText): Chart | null =>
  chartOf<ClientPoint>(
    runs,
    ({ series }) => series,
    () => lines,
    text,
  );

/** As those who ask saw it. With several runs one line of each, else the whole spread. */
export function clientCharts(runs: readonly Run[], limits: { p95Ms: number; nextP95Ms: number }): Chart[] {
  const alone = runs.length === 1;
  const charts = [
    client(
      runs,
      alone
        ? [
            ["p50", (p) => p.p50],
            ["p90", (p) => p.p90],
            ["p95", (p) => p.p95],
            ["p99", (p) => p.p99],
            ["slowest", (p) => p.max],
          ]
        : [
            ["p50", (p) => p.p50],
            ["p95", (p) => p.p95],
            ["p99", (p) => p.p99],
          ],
      {
        ...{ title: "Latency of all requests", y: "ms", log: true, caption: "How long answers took, by the second." },
        marks: [{ at: limits.p95Ms, label: `limit of p95: ${limits.p95Ms} ms` }],
      },
    ),
    client(
      runs,
      [
        ["p50", (p) => p.nextP50],
        ["p95", (p) => p.nextP95],
        ["p99", (p) => p.nextP99],
      ],
      {
        ...{
          title: "Latency of next",
          y: "ms",
          log: true,
          caption: "How long the question of what is next took, by the second.",
        },
        marks: [{ at: limits.nextP95Ms, label: `limit of p95: ${limits.nextP95Ms} ms` }],
      },
    ),
    client(runs, [["requests", (p) => p.perSecond]], {
      ...{ title: "Throughput", y: "requests a second", caption: "Requests that were answered, by the second." },
    }),
    client(runs, [["left out", (p) => p.dropped]], {
      ...{
        title: "Steps left out",
        y: "steps a second",
        caption: "Steps that were due and could not be started, since all slots waited for answers.",
      },
    }),
    client(runs, [["failed", (p) => p.errorRate]], {
      ...{
        title: "Errors",
        y: "share of the requests",
        percent: "largest",
        caption: "Requests that failed, by the second.",
      },
    }),
  ];
  return charts.filter((chart) => chart !== null);
}
