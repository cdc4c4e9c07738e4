import type { LatencySummary } from "../../domain/pipeline-simulation/latencies.ts";
import type { Outage, Scenario, SimulationResult } from "../../domain/pipeline-simulation/model.ts";
import { htmlPage } from "../plots/html-page.ts";
import { lineChart } from "../plots/line-chart.ts";
import { textTable } from "../text-table.ts";
import type { PlanTable } from "./plan-text.ts";
import { msText, numberText, percentText } from "./units.ts";

/** What a simulation of the pipeline came to, in words and as a page. */

export function describeScenario({ seconds, posts, nexts, outages, seed }: Scenario): string {
  const spikes = (posts.spikes ?? []).map(
    ({ fromSeconds, seconds: length, factor }) => `${numberText(factor)}x for ${length} s at ${fromSeconds} s`,
  );
  const stops = outages.map(
    ({ engine, fromSeconds, seconds: length }: Outage) => `${engine} stands still for ${length} s at ${fromSeconds} s`,
  );
  const day =
    posts.dayPeakFactor === undefined ? [] : [`a day whose peak is ${numberText(posts.dayPeakFactor)} times its mean`];
  return [
    `${numberText(seconds)} s, ${numberText(posts.perSecond)} POSTs and ${numberText(nexts.perSecond)} next lists a second`,
    ...day,
    ...spikes,
    ...stops,
    `seed ${seed}`,
  ].join("; ");
}

export function simulationTables(result: SimulationResult): PlanTable[] {
  const { interactions, lag, commits, batches, utilisation, next } = result;
  const latency = (name: string, { count, meanMs, p50Ms, p90Ms, p99Ms, maxMs }: LatencySummary): string[] => [
    name,
    numberText(count),
    ...[meanMs, p50Ms, p90Ms, p99Ms, maxMs].map(msText),
  ];
  return [
    {
      title: "How long it takes",
      head: ["", "of", "mean", "50 %", "90 %", "99 %", "longest"],
      rows: [
        latency("POST", result.post),
        latency("next list", result.next),
        latency("answer to visible", result.visible),
      ],
    },
    {
      title: "What becomes of it",
      head: ["", "", ""],
      rows: [
        [
          "interactions",
          `${numberText(interactions.arrived)} arrived, ${numberText(interactions.folded)} folded`,
          `${numberText(interactions.refused)} refused, ${numberText(interactions.notCommitted + interactions.notFolded)} on their way at the end`,
        ],
        [
          "lag",
          `${numberText(lag.eventsMax)} events, ${msText(lag.secondsMax * 1000)} at the most`,
          `over 1 s ${percentText(lag.shareOver1s)} of the time, over 10 s ${percentText(lag.shareOver10s)}`,
        ],
        ["commits", `${numberText(commits.count)} of ${numberText(commits.eventsMean)} events`, "in the mean"],
        [
          "batches of projectors",
          `${numberText(batches.count)} of ${numberText(batches.eventsMean)} events`,
          `${numberText(batches.failed)} written again`,
        ],
        ["next lists from memory, stale", percentText(next.staleShare), "because Redis did not answer in time"],
        ["busy", `processes ${percentText(utilisation.api)}`, `workers ${percentText(utilisation.workers)}`],
        [
          "workers",
          `${numberText(result.workerHours)} hours, ${result.workersMax} at the most`,
          `${result.scalings} changes`,
        ],
      ],
    },
  ];
}

export function renderSimulationText(scenario: Scenario, result: SimulationResult): string {
  const lines = [describeScenario(scenario), ""];
  for (const { title, head, rows } of simulationTables(result))
    lines.push(title, ...textTable(head.every((cell) => cell === "") ? rows : [head, ...rows]), "");
  if (result.resolutionMs > 0) lines.push(`Arrivals of ${result.resolutionMs} ms were taken together.`, "");
  return lines.join("\n");
}

export function renderSimulationHtml(scenario: Scenario, result: SimulationResult): string {
  const { timeline } = result;
  const series = (name: string, of: (sample: (typeof timeline)[number]) => number) => ({
    name,
    points: timeline.map((sample) => ({ x: sample.atSeconds, y: of(sample) })),
  });
  const chart = (title: string, label: string, drawn: ReturnType<typeof series>[]) => ({
    kind: "plot" as const,
    svg: lineChart({
      ...{ title, description: `${title}, over the simulated time.`, x: { label: "s" }, y: { label, min: 0 } },
      series: drawn,
    }),
  });
  return htmlPage({
    title: "The pipeline, simulated",
    sections: [
      { blocks: [{ kind: "text", text: describeScenario(scenario) }] },
      ...simulationTables(result).map(({ title, head, rows }) => ({
        title,
        blocks: [{ kind: "table" as const, head, rows }],
      })),
      {
        title: "Over time",
        blocks: [
          chart("Lag, seconds", "s", [series("age of the oldest event not folded", ({ lagSeconds }) => lagSeconds)]),
          chart("Lag, events", "events", [
            series("in the log, not folded", ({ lagEvents }) => lagEvents),
            series("waiting for the log", ({ waiting }) => waiting),
          ]),
          chart("Rates", "events a second", [
            series("committed", ({ rateIn }) => rateIn),
            series("folded", ({ rateOut }) => rateOut),
          ]),
          chart("Workers", "", [series("workers", ({ workers }) => workers)]),
        ],
      },
    ],
  });
}
