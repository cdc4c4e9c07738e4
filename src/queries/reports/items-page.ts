import { binsOf, histogram } from "../plots/histogram.ts";
import type { Block, Cell } from "../plots/html-page.ts";
import { barChart } from "../plots/row-charts.ts";
import { type ScatterSeries, scatterChart } from "../plots/scatter-chart.ts";
import type { ReportContext } from "./fold-log.ts";
import { flagThresholds, flagWords, itemFlags } from "./item-flags.ts";
import type { ItemAnalysis, Items } from "./items.ts";
import {
  type Finding,
  fixed,
  numeric,
  percent,
  type ReportDocument,
  rounded,
  scopeText,
  whatToDo,
  whole,
  withInterval,
} from "./report-document.ts";

/** Of 50,000 items a page can hold some, and a plot some more; the CSV has all. */
const listedMax = 300;
const plottedMax = 1_500;

export function itemsPage(result: Items, context: ReportContext): ReportDocument {
  const { items, fittedShare } = result;
  const flagged = items.filter(({ flags }) => flags.length > 0);
  const counts = itemFlags.map((code) => ({
    code,
    items: flagged.filter(({ flags }) => flags.some((flag) => flag.code === code)).length,
  }));
  const toRead = flagged.filter(({ interactions }) => interactions > 0);
  const plots = [
    { name: "items-flags", svg: flagPlot(counts) },
    { name: "items-facility-discrimination", svg: discriminationPlot(items) },
    { name: "items-facility", svg: facilityPlot(items) },
    { name: "items-difficulty", svg: difficultyPlot(items) },
  ];
  const part =
    fittedShare === 1
      ? ""
      : ` Discrimination and observed difficulty are of ${percent(fittedShare)} of the learners, drawn by a hash of their id.`;
  const about =
    `${scopeText(context)} Facility is the share of first answers that are right. Observed difficulty is facility with the level of those who were given the item taken out (Rasch 1960). ` +
    "Discrimination is the correlation of a right answer with the learner's level on all other items. " +
    `Misfit compares answers with what the learner model predicted before each of them (infit and outfit: Wright, Masters 1982).${part}`;
  return {
    report: "items",
    title: "Items",
    about,
    findings: findingsOf(counts, flagged),
    sections: [
      {
        title: "Flagged items",
        blocks: [
          { kind: "plot", svg: plots[0]?.svg ?? "" },
          toRead.length === 0
            ? { kind: "text", text: "No item that was met is flagged." }
            : {
                kind: "table",
                caption: `Items to look at${more(toRead.length)}`,
                head: head(),
                rows: toRead.slice(0, listedMax).map(htmlRow),
              },
          neverMetBlock(items, context),
        ],
      },
      { title: "All items", blocks: plots.slice(1).map(({ svg }) => ({ kind: "plot", svg })) },
    ],
    plots,
    table: { columns: csvColumns, rows: items.map(csvRow) },
    shortTable: {
      columns: ["item", "answers", "facility", "difficulty", "discrimination", "why"],
      rows: flagged
        .slice(0, 30)
        .map((item) => [
          item.itemId,
          item.answers,
          item.facility.n === 0 ? "–" : percent(item.facility.estimate),
          fixed(item.difficulty),
          fixed(item.discrimination?.estimate ?? null),
          item.flags.map(({ code, reason }) => `${flagWords[code].name}: ${reason}`).join("; "),
        ]),
    },
    summary: {
      items: items.length,
      flagged: flagged.length,
      ...Object.fromEntries(counts.map(({ code, items: n }) => [code, n])),
      fittedShare,
    },
    result,
  };
}

/** Never met items by skill, never served ones among them: a list of each would say less. */
function neverMetBlock(items: readonly ItemAnalysis[], { catalogue }: ReportContext): Block {
  const counts = new Map<string, number>();
  const unmet = items.filter(({ interactions }) => interactions === 0);
  for (const { skillIds } of unmet) for (const id of skillIds) counts.set(id, (counts.get(id) ?? 0) + 1);
  const rows = [...counts]
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, listedMax)
    .map(([id, n]): Cell[] => [catalogue.skills.get(id)?.title ?? id, whole(n)]);
  return rows.length === 0
    ? { kind: "text", text: "Every item has been met." }
    : {
        kind: "table",
        caption: `Items that nobody has met: ${whole(unmet.length)}`,
        head: ["Skill", numeric("Items")],
        rows,
      };
}

const more = (n: number): string => (n > listedMax ? `: the first ${listedMax} of ${whole(n)}, all in the CSV` : "");

type FlagCounts = readonly { readonly code: (typeof itemFlags)[number]; readonly items: number }[];

function findingsOf(counts: FlagCounts, flagged: readonly ItemAnalysis[]): Finding[] {
  return counts
    .filter(({ items }) => items > 0)
    .map(({ code, items }) => {
      const first = flagged.filter(({ flags }) => flags.some((flag) => flag.code === code)).slice(0, 3);
      const names = first.map(({ title }) => title).join("; ");
      const { name, advice } = flagWords[code];
      return {
        what: `${name}: ${whole(items)} ${items === 1 ? "item" : "items"} (${names}${items > 3 ? "; ..." : ""})`,
        todo: advice,
        tone: code === "negative_discrimination" ? "bad" : "warn",
      };
    });
}

const head = () => [
  "Item",
  { name: "Why", wide: true },
  whatToDo,
  numeric("Answers"),
  numeric("Facility", "share of first answers that are right, with a 95 % interval"),
  numeric("Difficulty", "observed, logits: 0 is average, positive is harder; beside it what the model has learnt"),
  numeric("Discrimination", "-1 to 1; below 0 the better learners get it wrong"),
  numeric("Median time"),
];

function htmlRow(item: ItemAnalysis): Cell[] {
  const { flags, facility, discrimination, medianMs } = item;
  const bad = flags.some(({ code }) => code === "negative_discrimination");
  return [
    item.title === item.itemId ? item.itemId : `${item.title} (${item.itemId})`,
    {
      text: flags.map(({ code, reason }) => `${flagWords[code].name}: ${reason}`).join(". "),
      tone: bad ? "bad" : "warn",
    },
    flags.map(({ code }) => flagWords[code].advice).join(" "),
    whole(item.answers),
    withInterval(facility),
    item.difficulty === null ? "–" : `${fixed(item.difficulty)} / ${fixed(item.modelDifficulty)}`,
    fixed(discrimination?.estimate ?? null),
    medianMs === null ? "–" : `${Math.round(medianMs / 1000)} s`,
  ];
}

const csvColumns = [
  "item_id",
  "title",
  "skill_ids",
  "answers",
  "served",
  "interactions",
  "learners",
  "facility",
  "facility_low",
  "facility_high",
  "difficulty",
  "difficulty_se",
  "model_difficulty",
  "author_difficulty",
  "discrimination",
  "discrimination_low",
  "discrimination_high",
  "infit",
  "infit_z",
  "outfit",
  "outfit_z",
  "bias",
  "bias_z",
  "median_ms",
  "hint_share",
  "flags",
  "reasons",
];

function csvRow(item: ItemAnalysis): (string | number | null)[] {
  const { facility, discrimination: r, fit, flags } = item;
  return [
    item.itemId,
    item.title,
    item.skillIds.join(";"),
    item.answers,
    item.served,
    item.interactions,
    item.learners,
    rounded(facility.estimate),
    rounded(facility.low),
    rounded(facility.high),
    rounded(item.difficulty),
    rounded(item.difficultyError),
    rounded(item.modelDifficulty),
    item.authorDifficulty,
    rounded(r?.estimate ?? null),
    rounded(r?.low ?? null),
    rounded(r?.high ?? null),
    rounded(fit?.infit ?? null),
    rounded(fit?.infitZ ?? null),
    rounded(fit?.outfit ?? null),
    rounded(fit?.outfitZ ?? null),
    rounded(fit?.bias ?? null),
    rounded(fit?.biasZ ?? null),
    item.medianMs,
    rounded(item.hintShare),
    flags.map(({ code }) => code).join(";"),
    flags.map(({ reason }) => reason).join("; "),
  ];
}

function flagPlot(counts: FlagCounts): string {
  return barChart({
    title: "Flagged items",
    description: "How many items carry each flag; the table lists them.",
    value: { label: "items", whole: true },
    rows: counts.map(({ code, items }) => ({ name: flagWords[code].name, value: items })),
  });
}

const enough = ({ facility }: ItemAnalysis): boolean => facility.n >= flagThresholds.answersMin;
const isFlagged = ({ flags }: ItemAnalysis): boolean => flags.length > 0;

/** Flagged ones first: of many items some are drawn. */
function twoKinds(
  items: readonly ItemAnalysis[],
  place: (item: ItemAnalysis) => { x: number; y: number } | null,
): ScatterSeries[] {
  const kinds = [
    { name: "sound", wanted: (item: ItemAnalysis) => !isFlagged(item) },
    { name: "flagged", wanted: isFlagged },
  ];
  return kinds.map(({ name, wanted }) => ({
    name,
    points: items
      .filter((item) => wanted(item) && enough(item))
      .slice(0, plottedMax)
      .flatMap((item) => {
        const at = place(item);
        return at === null ? [] : [{ ...at, label: item.title }];
      }),
  }));
}

function discriminationPlot(items: readonly ItemAnalysis[]): string {
  return scatterChart({
    title: "Facility and discrimination",
    description: `Each item with ${flagThresholds.answersMin} first answers or more. Sound items lie in the middle and above zero.`,
    x: { label: "facility: first answers right", min: 0, max: 1, format: "percent" },
    y: { label: "discrimination", min: -1, max: 1 },
    series: twoKinds(items, ({ facility, discrimination }) =>
      discrimination === null ? null : { x: facility.estimate, y: discrimination.estimate },
    ),
    marks: [{ axis: "y", at: 0, label: "tells nothing" }],
  });
}

function facilityPlot(items: readonly ItemAnalysis[]): string {
  return histogram({
    title: "How easy the items are",
    description: `Items with ${flagThresholds.answersMin} first answers or more, by the share of first answers that are right.`,
    x: { label: "facility: first answers right", format: "percent" },
    y: { label: "items" },
    bins: binsOf(
      items.filter(enough).map(({ facility }) => facility.estimate),
      0,
      1,
      20,
    ),
  });
}

function difficultyPlot(items: readonly ItemAnalysis[]): string {
  return scatterChart({
    title: "Difficulty: observed, and as the model has it",
    description: "Each item with enough first answers, in logits; on the dashed line both are the same.",
    x: { label: "observed difficulty, logits", min: -4, max: 4 },
    y: { label: "the model's difficulty, logits", min: -4, max: 4 },
    series: twoKinds(items, ({ difficulty, modelDifficulty }) =>
      difficulty === null ? null : { x: difficulty, y: modelDifficulty },
    ),
    diagonal: true,
  });
}
