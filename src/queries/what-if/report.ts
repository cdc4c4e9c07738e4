import { type Block, type Column, htmlPage } from "../plots/html-page.ts";
import { lineChart } from "../plots/line-chart.ts";
import { barChart } from "../plots/row-charts.ts";
import type { WhatIfInput } from "./input.ts";
import type { SkillTally, Tally } from "./tally.ts";

/** What came of a what-if; JSON as it is. */
export interface WhatIfReport {
  readonly input: WhatIfInput;
  readonly models: { readonly before: string; readonly after: string; readonly weights: "published" | "trained" };
  readonly slice: {
    readonly from: { readonly position: number; readonly time: string | null };
    readonly to: { readonly position: number; readonly time: string | null };
  };
  readonly tally: Tally;
}

/** A table for a terminal or a page: what differs, side by side. */
export interface WhatIfTable {
  readonly title: string;
  readonly head: readonly (string | Column)[];
  readonly rows: readonly (readonly string[])[];
}

const skillsShown = 20;
const learnersShown = 20;
const reasonsShown = 15;

const whole = (n: number): string => n.toLocaleString("en-US");
const percent = (part: number, of: number): string => (of === 0 ? "–" : `${((100 * part) / of).toFixed(1)} %`);
const mean = (sum: number, of: number, digits = 3): string => (of === 0 ? "–" : (sum / of).toFixed(digits));
const number = (name: string, help?: string): Column => ({
  name,
  numeric: true,
  ...(help === undefined ? {} : { help }),
});

/** What was replayed, in sentences. */
export function describeWhatIf({ input, models, slice, tally }: WhatIfReport): string[] {
  const { policy, track, learners, every } = input;
  const changes = [
    ...(policy === undefined ? [] : [`the policy ${JSON.stringify(policy)}`]),
    ...(models.before === models.after
      ? []
      : [
          `the model ${models.after} instead of ${models.before}, its weights ${models.weights === "trained" ? "trained on this log for this replay" : "those it published"}`,
        ]),
  ];
  const { from, to } = slice;
  return [
    `What if: ${changes.join(", and ")}${track === undefined ? "" : `, in the track ${track}`}.`,
    `Positions ${whole(from.position + 1)} to ${whole(to.position)}${to.time === null ? "" : `, up to ${to.time}`}: ${whole(tally.events)} events, ` +
      `${whole(tally.learners)} learners with choices${learners === undefined ? "" : `, of a sample of ${whole(learners)}`}` +
      `${every === 1 ? "" : `, looked at after each ${every}th answer`}.`,
    "Learners' answers are those that were given: what they would have answered to other items is not known.",
  ];
}

export const whatIfTables = (report: WhatIfReport): WhatIfTable[] => [
  choices(report),
  due(report),
  mastery(report),
  reasons(report),
  skills(report),
  learners(report),
];

const sideBySide = ["", number("before"), number("after"), number("changed")];

function choices({ tally: { choices: c } }: WhatIfReport): WhatIfTable {
  const first = (sum: number, empty: number): string => mean(sum / 10_000, c.lists - empty);
  return {
    title: "Choices",
    head: sideBySide,
    rows: [
      [
        "lists",
        whole(c.lists),
        whole(c.lists),
        `${whole(c.lists - c.identical)} (${percent(c.lists - c.identical, c.lists)})`,
      ],
      ["first item", "", "", `${whole(c.firstChanged)} (${percent(c.firstChanged, c.lists)})`],
      [
        "items of a list",
        mean(c.items, c.lists, 1),
        "",
        `${mean(c.items - c.itemsKept, c.lists, 1)} (${percent(c.items - c.itemsKept, c.items)})`,
      ],
      ["empty lists", whole(c.emptyBefore), whole(c.emptyAfter), whole(c.emptyAfter - c.emptyBefore)],
      [
        "predicted success of the first item",
        first(c.firstSuccessBefore, c.emptyBefore),
        first(c.firstSuccessAfter, c.emptyAfter),
        "",
      ],
    ],
  };
}

function due({ tally: { due: d } }: WhatIfReport): WhatIfTable {
  const moved = d.earlier + d.later;
  return {
    title: "Due dates at the end",
    head: sideBySide,
    rows: [
      [
        "cards",
        whole(d.cards - d.onlyAfter),
        whole(d.cards - d.onlyBefore),
        `${whole(d.changed)} (${percent(d.changed, d.cards)})`,
      ],
      ["due earlier", "", "", whole(d.earlier)],
      ["due later", "", "", whole(d.later)],
      ["days later, on average of those moved", "", "", mean(d.secondsLater / 86_400, moved, 1)],
      ["learners with a change", "", "", whole(d.learners)],
    ],
  };
}

function mastery({ tally: { mastery: m } }: WhatIfReport): WhatIfTable {
  return {
    title: "Mastery calls at the end",
    head: sideBySide,
    rows: [
      [
        "skills answered, over all learners",
        whole(m.calls),
        whole(m.calls),
        `${whole(m.gained + m.lost)} (${percent(m.gained + m.lost, m.calls)})`,
      ],
      ["mastered", whole(m.masteredBefore), whole(m.masteredAfter), `+${whole(m.gained)} −${whole(m.lost)}`],
      ["learners with a change", "", "", whole(m.learners)],
    ],
  };
}

function reasons({ tally }: WhatIfReport): WhatIfTable {
  const pairs = Object.entries(tally.reasons).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return {
    title: "Reasons of the first item",
    head: ["before", "after", number("lists")],
    rows: pairs.slice(0, reasonsShown).map(([pair, lists]) => [...pair.split(" "), whole(lists)]),
  };
}

const changedMost = (report: WhatIfReport): [string, SkillTally][] =>
  Object.entries(report.tally.skills)
    .filter(([, { gained, lost }]) => gained + lost > 0)
    .sort(([a, m], [b, n]) => n.gained + n.lost - m.gained - m.lost || (a < b ? -1 : 1))
    .slice(0, skillsShown);

function skills(report: WhatIfReport): WhatIfTable {
  return {
    title: "Skills whose mastery changes most",
    head: ["skill", ...["learners", "mastered before", "after", "gained", "lost"].map((name) => number(name))],
    rows: changedMost(report).map(([skillId, s]) => [
      ...[skillId, whole(s.calls), whole(s.masteredBefore), whole(s.masteredAfter), whole(s.gained), whole(s.lost)],
    ]),
  };
}

function learners({ tally: { most } }: WhatIfReport): WhatIfTable {
  return {
    title: "Learners who change most",
    head: ["learner", number("choices"), number("first changed"), number("due changed"), "mastered after", "no longer"],
    rows: most
      .filter((one) => one.firstChanged + one.dueChanged + one.gained.length + one.lost.length > 0)
      .slice(0, learnersShown)
      .map((one) => [
        ...[one.learnerId, whole(one.lists), whole(one.firstChanged), whole(one.dueChanged)],
        ...[one.gained.join(" "), one.lost.join(" ")],
      ]),
  };
}

/** A page that needs nothing but itself. */
export function renderWhatIfHtml(report: WhatIfReport): string {
  const plots: Record<string, Block[]> = {
    Choices: [{ kind: "beside", blocks: [changesOverTime(report), learnersByShare(report)] }],
    "Skills whose mastery changes most": masteryPlot(report),
  };
  return htmlPage({
    title: "What if",
    sections: [
      { blocks: describeWhatIf(report).map((text) => ({ kind: "text", text })) },
      ...whatIfTables(report)
        .filter(({ rows }) => rows.length > 0)
        .map(({ title, head, rows }) => ({
          title,
          blocks: [{ kind: "table", head, rows } as const, ...(plots[title] ?? [])],
        })),
    ],
  });
}

function changesOverTime({ tally: { parts } }: WhatIfReport): Block {
  const points = parts.flatMap(({ from, lists, firstChanged, identical }) =>
    from === null || lists === 0 ? [] : [{ x: from, first: firstChanged / lists, any: (lists - identical) / lists }],
  );
  const svg = lineChart({
    title: "Choices that change",
    description:
      "Share of lists whose first item differs, and of those that differ anywhere, over the time of the slice.",
    x: { label: "recorded", format: "date" },
    y: { label: "share of lists", min: 0, max: 1, format: "percent" },
    series: [
      { name: "first item", points: points.map(({ x, first }) => ({ x, y: first })), dots: true },
      { name: "anything", points: points.map(({ x, any }) => ({ x, y: any })), dots: true },
    ],
  });
  return { kind: "plot", svg, caption: "By when the answer before the choice was recorded." };
}

function learnersByShare({ tally: { byShare } }: WhatIfReport): Block {
  const svg = barChart({
    title: "Learners by how many of their choices change",
    description: "Number of learners by the share of their choices whose first item differs.",
    value: { label: "learners", whole: true },
    rows: byShare.map((value, at) => ({ name: at === 0 ? "none" : `up to ${10 * at} %`, value, label: whole(value) })),
  });
  return { kind: "plot", svg, caption: "Share of a learner's choices whose first item is another." };
}

function masteryPlot(report: WhatIfReport): Block[] {
  const changed = changedMost(report);
  if (changed.length === 0) return [];
  const rows = changed.flatMap(([name, { masteredBefore, masteredAfter }]) => [
    { name, value: masteredBefore, series: "before", label: whole(masteredBefore) },
    { name, value: masteredAfter, series: "after", label: whole(masteredAfter) },
  ]);
  return [
    {
      kind: "plot",
      svg: barChart({
        title: "Learners who have mastered it",
        description: "For each skill whose mastery calls change, the learners who have mastered it before and after.",
        value: { label: "learners", whole: true },
        rows,
      }),
    },
  ];
}
