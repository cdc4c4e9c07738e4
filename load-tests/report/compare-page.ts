import { type Cell, htmlPage } from "../../src/queries/plots/html-page.ts";
import { limits } from "../k6/profiles.ts";
import type { Result, Verdict } from "../runner/result.ts";
import { clientCharts } from "./client-charts.ts";
import { differencesOf, nameOf, verdictPairs } from "./compare-text.ts";
import { ms, number, totals } from "./figures.ts";
import { chartBlocks, madeRows } from "./page.ts";
import { serverCharts } from "./server-charts.ts";

/** Two runs side by side, in one page. */
export function comparePage(a: Result, b: Result): string {
  const runs = [
    { label: "A", result: a },
    { label: "B", result: b },
  ];
  const differences = differencesOf(a, b);
  const numeric = (name: string) => ({ name, numeric: true });
  const names = [...new Set([...a.requests, ...b.requests].map(({ name }) => name))];
  const request = (result: Result, name: string) => result.requests.find((one) => one.name === name);
  const made = new Map(madeRows(b));
  return htmlPage({
    title: "Two load tests",
    sections: [
      {
        blocks: [
          { kind: "list", items: [`A: ${nameOf(a)}`, `B: ${nameOf(b)}`] },
          ...(differences.length === 0
            ? []
            : [
                { kind: "text" as const, text: "These differ, and not by what was measured alone:" },
                { kind: "list" as const, items: differences },
              ]),
        ],
      },
      {
        title: "Verdicts",
        blocks: [
          {
            kind: "table",
            head: ["threshold", numeric("A"), numeric("B")],
            rows: verdictPairs(a, b).map(({ name, a, b }) => [name, judged(a), judged(b)]),
          },
        ],
      },
      {
        title: "Figures",
        blocks: [
          {
            kind: "table",
            head: ["what", numeric("A"), numeric("B")],
            rows: totals.map(({ name, value }) => [name, value(a), value(b)]),
          },
        ],
      },
      {
        title: "Requests",
        blocks: [
          {
            kind: "table",
            head: [
              "request",
              ...["count A", "count B", "p50 A", "p50 B", "p95 A", "p95 B", "p99 A", "p99 B"].map(numeric),
            ],
            rows: names.map((name) => {
              const [one, other] = [request(a, name), request(b, name)];
              return [
                name,
                ...[one, other].map((found) => (found === undefined ? "-" : number(found.count))),
                ...(["p50", "p95", "p99"] as const).flatMap((field) => [
                  ms(one?.[field] ?? null),
                  ms(other?.[field] ?? null),
                ]),
              ];
            }),
          },
        ],
      },
      { title: "As those who asked saw it", blocks: chartBlocks(clientCharts(runs, limits)) },
      { title: "As the system saw itself", blocks: chartBlocks(serverCharts(runs)) },
      {
        title: "Where and how",
        blocks: [
          {
            kind: "table",
            head: ["what", "A", "B"],
            rows: madeRows(a).map(([name, value]) => [name, value, made.get(name) ?? "-"]),
          },
        ],
      },
    ],
  });
}

function judged(verdict: Verdict | null): Cell {
  if (verdict === null) return "-";
  return { text: `${verdict.value}, ${verdict.met ? "met" : "missed"}`, tone: verdict.met ? "good" : "bad" };
}
