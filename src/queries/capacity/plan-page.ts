import { meanWait, waitQuantile } from "../../domain/capacity/queueing.ts";
import { throughputAt } from "../../domain/capacity/scalability.ts";
import { htmlPage, type Section } from "../plots/html-page.ts";
import { lineChart } from "../plots/line-chart.ts";
import { barChart } from "../plots/row-charts.ts";
import type { CapacityPlan, FittedLaw } from "./capacity-plan.ts";
import { beyond, describePlan, lawTable, type PlanTable, planTables } from "./plan-text.ts";
import { numberText } from "./units.ts";

/** A plan as a page that needs nothing else: the tables, what they cost, and the fits they stand on. */
export function renderPlanHtml(made: CapacityPlan): string {
  const { plan, cost, laws, measured } = made;
  const sections: Section[] = [
    {
      blocks: [
        { kind: "text", text: describePlan(plan) },
        ...beyond(plan).map((text) => ({ kind: "list" as const, items: [{ text, tone: "bad" as const }] })),
        {
          kind: "figures",
          figures: [
            { name: "requests a second at the peak", value: numberText(plan.demand.requestsPerSecond) },
            { name: "interactions a second", value: numberText(plan.demand.interactionsPerSecond) },
            { name: "processes", value: String(plan.roles.reduce((sum, { processes }) => sum + processes, 0)) },
            { name: `${cost.currency} a month`, value: numberText(Math.round(cost.total)) },
          ],
        },
      ],
    },
    ...planTables(made).map(tableSection),
    { title: "Where the money goes", blocks: [{ kind: "plot", svg: costChart(made) }] },
    { title: "Waiting for a process of the API", blocks: [{ kind: "plot", svg: waitChart(made) }] },
    {
      title: "How throughput grows: measured and fitted",
      blocks: [...laws.map((law) => ({ kind: "plot" as const, svg: lawChart(law) })), tableBlock(lawTable(laws))],
    },
    {
      title: "What was measured",
      blocks: [
        { kind: "text", text: `${measured.measuredAt}: ${measured.command}` },
        {
          kind: "text",
          text: Object.entries(measured.machine)
            .map(([name, value]) => `${name} ${value}`)
            .join(", "),
        },
        { kind: "list", items: measured.notes },
      ],
    },
  ];
  return htmlPage({ title: "Capacity plan", sections });
}

const tableSection = (table: PlanTable): Section => ({ title: table.title, blocks: [tableBlock(table)] });

const tableBlock = ({ head, rows }: PlanTable) => ({ kind: "table" as const, head, rows });

function costChart({ cost }: CapacityPlan): string {
  return barChart({
    title: `${cost.currency} a month, in all ${numberText(Math.round(cost.total))}`,
    description: "Monthly cost of each part of the plan.",
    value: { label: `${cost.currency} a month`, min: 0 },
    rows: cost.lines.map(({ what, perMonth }) => ({
      name: what,
      value: perMonth,
      label: numberText(Math.round(perMonth)),
    })),
  });
}

/** From too few processes to twice as many as are run: what one more or less does to the wait. */
function waitChart({ plan }: CapacityPlan): string {
  const api = plan.roles.find(({ role }) => role === "api");
  const { requestsPerSecond } = plan.demand;
  const { cores = 0, processes = 1, needed = 1 } = api ?? {};
  const serviceSeconds = cores / requestsPerSecond;
  const counts = Array.from({ length: 60 }, (_, at) => Math.max(1, Math.ceil(cores)) + (at * 2 * processes) / 60);
  const points = (of: typeof meanWait) =>
    counts.flatMap((count) => {
      const wait = of({ servers: 1, rate: requestsPerSecond / count, serviceSeconds }) * 1000;
      return Number.isFinite(wait) ? [{ x: count, y: wait }] : [];
    });
  return lineChart({
    title: "Wait before a process takes a request up, at the peak",
    description: "Mean and 99th percentile of the wait against the number of processes, by M/M/1.",
    x: { label: "processes" },
    y: { label: "ms", max: 3 * plan.rules.queueWaitP99Ms },
    series: [
      { name: "99 % of requests", points: points((station) => waitQuantile(station, 0.99)) },
      { name: "mean", points: points(meanWait) },
    ],
    marks: [
      { axis: "x", at: needed, label: "a zone gone" },
      { axis: "x", at: processes, label: "all" },
      { axis: "y", at: plan.rules.queueWaitP99Ms, label: "objective" },
    ],
  });
}

export function lawChart({ title, points, fit }: FittedLaw): string {
  const most = Math.max(...points.map(({ n }) => n));
  const curve = Array.from({ length: 80 }, (_, at) => 1 + (at / 79) * (most - 1));
  return lineChart({
    title,
    description: `Throughput against n: each round of the measurement, and the fitted law; R2 ${fit.r2.toFixed(3)}.`,
    x: { label: "n", min: 0 },
    y: { label: "a second", min: 0 },
    series: [
      { name: "fitted", points: curve.map((n) => ({ x: n, y: throughputAt(fit, n) })) },
      {
        name: "measured",
        drawn: "dots",
        points: points.map(({ n, throughput }) => ({
          x: n,
          y: throughput,
          label: `n ${n}: ${numberText(throughput)} a second`,
        })),
      },
    ],
  });
}
