import { type Block, type Cell, htmlPage, type Section } from "../../src/queries/plots/html-page.ts";
import { limits } from "../k6/profiles.ts";
import { kneeOf } from "../runner/read-k6.ts";
import type { Result, Verdict } from "../runner/result.ts";
import type { Chart } from "./charts.ts";
import { clientCharts } from "./client-charts.ts";
import { commitOf, figure, ms, number, percent, totals } from "./figures.ts";
import { serverCharts } from "./server-charts.ts";

/** One run as a page of its own: it needs nothing but itself, and shows the same offline. */
export function reportPage(result: Result): string {
  const runs = [{ label: "", result }];
  const { title, what, scenario, load, seconds } = result;
  const sections: Section[] = [
    {
      blocks: [
        { kind: "text", text: `${title}: ${what}.` },
        {
          kind: "text",
          soft: true,
          text: `${number(load.users)} users, ${Math.round(seconds)} seconds, begun ${result.startedAt}.`,
        },
        { kind: "figures", figures: headFigures(result) },
      ],
    },
    { title: "Verdicts", blocks: [verdictTable(result.verdicts)] },
    ...(result.levels.length === 0 ? [] : [{ title: "Levels", blocks: levelBlocks(result) }]),
    { title: "As those who asked saw it", blocks: chartBlocks(clientCharts(runs, limits)) },
    { title: "Requests", blocks: [requestTable(result)] },
    { title: "Content of answers", blocks: contentBlocks(result) },
    { title: "As the system saw itself", blocks: chartBlocks(serverCharts(runs)) },
    {
      title: "All figures",
      blocks: [
        { kind: "table", head: ["what", "measured"], rows: totals.map(({ name, value }) => [name, value(result)]) },
      ],
    },
    ...(result.connections === null
      ? []
      : [{ title: "Connections held", blocks: connectionBlocks(result.connections) }]),
    { title: "Where and how", blocks: [madeTable(result)] },
  ];
  return htmlPage({ title: `Load test: ${scenario}`, sections });
}

function headFigures({ totals, verdicts }: Result) {
  const met = verdicts.filter((verdict) => verdict.met).length;
  return [
    { name: "thresholds met", value: `${met} of ${verdicts.length}` },
    { name: "requests/s", value: figure(totals.perSecond) },
    { name: "p95 of next", value: ms(totals.nextP95) },
    { name: "p95 of all", value: ms(totals.p95) },
    { name: "failed", value: percent(totals.errorRate) },
    { name: "ready made", value: percent(totals.readyMade) },
    { name: "hit ratio", value: percent(totals.hitRatio) },
    { name: "largest lag", value: figure(totals.lagSecondsMax, " s") },
  ];
}

export const verdictCell = ({ met }: Pick<Verdict, "met">): Cell =>
  met ? { text: "met", tone: "good" } : { text: "missed", tone: "bad" };

const verdictTable = (verdicts: readonly Verdict[]): Block => ({
  kind: "table",
  head: ["threshold", { name: "limit", numeric: true }, { name: "measured", numeric: true }, "verdict"],
  rows: verdicts.map((verdict) => [verdict.name, verdict.limit, verdict.value, verdictCell(verdict)]),
});

export function chartBlocks(charts: readonly Chart[]): Block[] {
  const blocks: Block[] = [];
  for (let k = 0; k < charts.length; k += 2) {
    const pair = charts.slice(k, k + 2).map(({ svg, caption }): Block => ({ kind: "plot", svg, caption }));
    blocks.push({ kind: "beside", blocks: pair });
  }
  return blocks;
}

const numeric = (name: string) => ({ name, numeric: true });

function levelBlocks({ levels }: Result): Block[] {
  const knee = kneeOf(levels);
  const text =
    knee === null
      ? "The lowest level missed the limits already."
      : `${number(knee.users)} users were within the limits${knee === levels.at(-1) ? ", the most that were tried" : "; more were not"}.`;
  return [
    { kind: "text", text },
    {
      kind: "table",
      head: [
        "users",
        ...["steps/s", "requests/s", "p95", "p99", "p95 of next", "failed", "left out"].map(numeric),
        "limits",
      ],
      rows: levels.map((level) => [
        ...[number(level.users), figure(level.stepsPerSecond), figure(level.requestsPerSecond)],
        ...[ms(level.p95), ms(level.p99), ms(level.nextP95), percent(level.errorRate), percent(level.dropped)],
        verdictCell(level),
      ]),
    },
  ];
}

const requestTable = ({ requests }: Result): Block => ({
  kind: "table",
  head: ["request", ...["count", "failed", "p50", "p95", "p99", "slowest"].map(numeric)],
  rows: requests.map(({ name, count, failed, p50, p95, p99, max }) => [
    ...[name, number(count), number(failed), ms(p50), ms(p95), ms(p99), ms(max)],
  ]),
});

function contentBlocks({ checks }: Result): Block[] {
  if (checks.length === 0) return [{ kind: "text", text: "No answer was looked at: that proves nothing." }];
  return [
    {
      kind: "table",
      head: ["held", numeric("looked at"), numeric("violations"), "verdict"],
      rows: checks.map(({ name, passes, fails }) => [
        ...[name, number(passes + fails), number(fails)],
        verdictCell({ met: fails === 0 }),
      ]),
    },
  ];
}

function connectionBlocks(held: NonNullable<Result["connections"]>): Block[] {
  const { wanted, sources, requests, failed, reconnects, p50, p95, p99, max } = held;
  return [
    {
      kind: "text",
      text: `${number(held.held)} of ${number(wanted)} keep-alive connections from ${sources} addresses were open at the end, each of which asked what is next every 20 seconds.`,
    },
    {
      kind: "table",
      head: ["requests", "failed", "opened again", "p50", "p95", "p99", "slowest"],
      rows: [[number(requests), number(failed), number(reconnects), ms(p50), ms(p95), ms(p99), ms(max)]],
    },
  ];
}

export function madeRows(result: Result): [string, string][] {
  const { machine, command, target, tool, tool_version } = result;
  const { commit: _, dirty: __, ...about } = machine;
  return [
    ["command", command],
    ["commit", commitOf(result)],
    ["loaded", target],
    ["load by", `${tool} ${tool_version}`],
    ...Object.entries(about).map(([name, value]): [string, string] => [name.replaceAll("_", " "), String(value)]),
  ];
}

const madeTable = (result: Result): Block => ({ kind: "table", head: ["what", "which"], rows: madeRows(result) });
