import { htmlPage, type Section } from "../plots/html-page.ts";
import { intervalChart } from "../plots/row-charts.ts";
import type { Estimate } from "../statistics/intervals.ts";
import { textTable } from "../text-table.ts";
import type { MeasureName } from "./measures.ts";
import { type Comparison, type MainMeasure, mainMeasureNames, type SimulationResult } from "./summary.ts";

interface Shown {
  readonly name: MeasureName;
  readonly head: string;
  readonly title: string;
  readonly unit: "count" | "share" | "number";
}

/** In the order of the tables. */
const shown: readonly Shown[] = [
  {
    name: "itemsToMastery",
    head: "items",
    title: "Items until all skills are mastered, called and true",
    unit: "count",
  },
  { name: "reached", head: "reached", title: "Learners who get there", unit: "share" },
  { name: "trueAtEnd", head: "true", title: "Skills truly mastered after the budget", unit: "share" },
  {
    name: "falseAtEnd",
    head: "false",
    title: "False mastery: of the skills called mastered after the budget",
    unit: "share",
  },
  { name: "calledAtEnd", head: "held", title: "Skills called mastered after the budget", unit: "share" },
  { name: "itemsToCall", head: "called", title: "Items until all skills are called mastered", unit: "count" },
  { name: "trueAtCall", head: "true then", title: "Skills truly mastered when all are first called so", unit: "share" },
  { name: "falseCalls", head: "false calls", title: "Calls of mastery that are not true when made", unit: "share" },
  { name: "itemsToTruth", head: "truth", title: "Items until all skills are truly mastered", unit: "count" },
  { name: "success", head: "success", title: "Answers that are right", unit: "share" },
  { name: "offTarget", head: "off target", title: "|Realised success - target|", unit: "share" },
  { name: "calibration", head: "ECE", title: "Calibration error of the predictions", unit: "share" },
  { name: "reviews", head: "reviews", title: "Review load: items of skills already called mastered", unit: "share" },
  { name: "overdue", head: "overdue", title: "Cards due at the end of the budget, for each learner", unit: "number" },
  {
    name: "mostExposed",
    head: "most given",
    title: "How often the item given most is given, for each learner",
    unit: "number",
  },
  { name: "exposureGini", head: "Gini", title: "Inequality of the items' exposure (Gini)", unit: "number" },
  {
    name: "minutesToMastery",
    head: "minutes",
    title: "Minutes at work until mastery, for each learner",
    unit: "count",
  },
  { name: "minutesInBudget", head: "in budget", title: "Minutes at work within the budget", unit: "count" },
];

/** For a terminal: the figures of each generator, then what is compared, then placement. Ends with a line break. */
export function renderSimulationText(result: SimulationResult): string {
  const { simulation } = result;
  const lines = [describe(result), ""];
  for (const generator of simulation.generators) {
    const rows = result.outcomes
      .filter((outcome) => outcome.generator === generator)
      .map(({ policy, measures }) => [policy, ...shown.map(({ name, unit }) => figure(measures[name], unit))]);
    lines.push(`${generator} (+- 95 % interval over ${result.seeds} classes)`);
    for (const half of halves(shown, rows)) lines.push(...textTable(half), "");
  }
  lines.push(...comparisonLines(result), "", ...placementLines(result), "");
  return lines.join("\n");
}

/** Tables of eighteen columns do not fit a terminal. */
function halves(columns: readonly Shown[], rows: readonly (readonly string[])[]): string[][][] {
  const middle = Math.ceil(columns.length / 2);
  const part = (from: number, to: number): string[][] => [
    ["", ...columns.slice(from, to).map(({ head }) => head)],
    ...rows.map((row) => [row[0] ?? "", ...row.slice(from + 1, to + 1)]),
  ];
  return [part(0, middle), part(middle, columns.length)];
}

export function describe({ simulation, seeds }: Pick<SimulationResult, "simulation" | "seeds">): string {
  const { learners, skills, itemsPerSkill, graph, budgetPerSkill, horizonPerSkill, careless, absent, model } =
    simulation;
  return (
    `${seeds} classes of ${learners} learners (${percent(careless)} careless, ${percent(absent)} absent), ` +
    `${skills} skills (${graph}) with ${itemsPerSkill} items each, model ${model}; ` +
    `budget ${Math.round(budgetPerSkill * skills)} items each, horizon ${Math.round(horizonPerSkill * skills)}`
  );
}

const verdictMark = { better: "+", same: "=", worse: "-" } as const;

function comparisonLines({ simulation, comparisons }: SimulationResult): string[] {
  const [tested, ...baselines] = simulation.policies;
  if (tested === undefined || baselines.length === 0) return [];
  const rows = simulation.generators.flatMap((generator) =>
    baselines.map((baseline) => [
      generator,
      baseline,
      ...mainMeasureNames.map((measure) => {
        const found = comparisons.find(
          (each) => each.generator === generator && each.baseline === baseline && each.measure === measure,
        );
        return found === undefined ? "" : `${verdictMark[found.verdict]} ${figure(found.difference, unitOf(measure))}`;
      }),
    ]),
  );
  const heads = mainMeasureNames.map((measure) => shown.find(({ name }) => name === measure)?.head ?? measure);
  return [
    `${tested} minus baseline, class by class (+ better, = no difference beyond the interval, - worse)`,
    ...textTable([["", "", ...heads], ...rows]),
    "",
    worseLine(comparisons, tested),
  ];
}

const worseLine = (comparisons: readonly Comparison[], tested: string): string => {
  const worse = comparisons.filter(({ verdict }) => verdict === "worse");
  if (worse.length === 0) return `${tested} is worse than no baseline on a main measure.`;
  const named = worse.map(({ generator, baseline, measure }) => `${generator}/${baseline}/${measure}`);
  return `${tested} is worse on: ${named.join(", ")}`;
};

function placementLines({ placement }: SimulationResult): string[] {
  if (placement.length === 0) return [];
  const rows = placement.map(({ policy, items, error, length }) => [
    policy,
    figure(items, "count"),
    figure(error, "number"),
    figure(length, "share"),
  ]);
  return [
    "Placement: items to a standard error of .3 (Rasch, bank of 500)",
    ...textTable([["", "items", "error", "of max-information"], ...rows]),
  ];
}

/** The same as a page, with a plot of each measure. */
export function renderSimulationHtml(result: SimulationResult): string {
  const { simulation } = result;
  const sections: Section[] = [
    {
      blocks: [
        { kind: "text", text: describe(result) },
        { kind: "text", text: "Intervals are 95 %, over classes. Each policy has the same classes.", soft: true },
        { kind: "text", text: worseLine(result.comparisons, simulation.policies[0] ?? "") },
      ],
    },
    ...shown.map(
      ({ name, title, unit }): Section => ({
        title,
        blocks: [
          {
            kind: "plot",
            svg: intervalChart({
              title,
              description: `${title}, for each policy and generator.`,
              value: { label: unit === "share" ? "share" : "" },
              rows: result.outcomes.flatMap(({ generator, policy, measures }) => {
                const { estimate, low, high } = measures[name];
                if (Number.isNaN(estimate)) return [];
                return {
                  name: policy,
                  series: generator,
                  value: estimate,
                  ...(Number.isNaN(low) ? {} : { low, high }),
                };
              }),
            }),
          },
          {
            kind: "table",
            head: ["policy", ...simulation.generators.map((generator) => ({ name: generator, numeric: true }))],
            rows: simulation.policies.map((policy) => [
              policy,
              ...simulation.generators.map((generator) => {
                const found = result.outcomes.find((each) => each.policy === policy && each.generator === generator);
                return found === undefined ? "" : figure(found.measures[name], unit);
              }),
            ]),
          },
        ],
      }),
    ),
    comparisonSection(result),
    placementSection(result),
  ];
  return htmlPage({ title: "Policies on simulated learners", sections });
}

const tones = { better: "good", same: undefined, worse: "bad" } as const;

function comparisonSection({ comparisons }: SimulationResult): Section {
  return {
    title: "Compared class by class",
    blocks: [
      {
        kind: "table",
        head: ["generator", "baseline", "measure", { name: "difference", numeric: true }, "verdict"],
        rows: comparisons.map(({ generator, baseline, measure, difference, verdict }) => {
          const tone = tones[verdict];
          const title = shown.find(({ name }) => name === measure)?.title ?? measure;
          const mark = tone === undefined ? verdict : { text: verdict, tone };
          return [generator, baseline, title, figure(difference, unitOf(measure)), mark];
        }),
      },
    ],
  };
}

function placementSection({ placement }: SimulationResult): Section {
  const numeric = (name: string) => ({ name, numeric: true });
  return {
    title: "Placement: items to a standard error of .3",
    blocks: [
      {
        kind: "table",
        head: ["policy", numeric("items"), numeric("|error|"), numeric("of maximum information's length")],
        rows: placement.map(({ policy, items, error, length }) => [
          policy,
          figure(items, "count"),
          figure(error, "number"),
          figure(length, "share"),
        ]),
      },
    ],
  };
}

const unitOf = (measure: MainMeasure): Shown["unit"] => shown.find(({ name }) => name === measure)?.unit ?? "number";

/** "97.3 +- 1.2": shares in percent. */
function figure({ estimate, low, high }: Estimate, unit: Shown["unit"]): string {
  if (Number.isNaN(estimate)) return "-";
  const scale = unit === "share" ? 100 : 1;
  const digits = unit === "number" ? 2 : 1;
  const text = (estimate * scale).toFixed(digits);
  return Number.isNaN(low) ? text : `${text} +- ${(((high - low) / 2) * scale).toFixed(digits)}`;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
