import type { Cell } from "../plots/html-page.ts";
import { lineChart } from "../plots/line-chart.ts";
import { barChart } from "../plots/row-charts.ts";
import type { ReportContext } from "./fold-log.ts";
import { type CurveCategory, curveThresholds, type LearningCurve, type LearningCurves } from "./learning-curves.ts";
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

const { lowError, highError, learnersMin, pointsMin, slopeMin } = curveThresholds;
/** Curves that are drawn, those with most answers. */
const drawnMax = 60;

interface Words {
  readonly name: string;
  readonly tone: "good" | "warn" | "bad";
  readonly meaning: string;
  readonly advice: string;
}

const categories: Readonly<Record<CurveCategory, Words>> = {
  still_high: {
    name: "still high",
    tone: "bad",
    meaning: `learners improve, yet at the end ${percent(highError)} or more of answers are wrong`,
    advice: "More practice, and easier first steps. Look whether a prerequisite is missing.",
  },
  no_learning: {
    name: "no learning",
    tone: "bad",
    meaning: "practice does not lower the errors",
    advice: "Look whether it is really one skill: split it. Check its items, and what is explained before them.",
  },
  low_and_flat: {
    name: "low and flat",
    tone: "warn",
    meaning: `errors are at most ${percent(lowError)} from the first opportunity on: it was known already`,
    advice: "Less practice: raise the start, or let a placement test skip it.",
  },
  too_little_data: {
    name: "too little data",
    tone: "warn",
    meaning: `fewer than ${pointsMin} opportunities that ${learnersMin} learners reached`,
    advice: "Wait for more answers.",
  },
  good: { name: "good", tone: "good", meaning: "errors fall with practice", advice: "Leave it as it is." },
};

export function learningCurvesPage(result: LearningCurves, context: ReportContext): ReportDocument {
  const { curves, fittedShare } = result;
  const drawn = curves.filter(({ points }) => points.length > 1).slice(0, drawnMax);
  const plots = [
    { name: "curve-categories", svg: categoryPlot(curves) },
    ...drawn.map((curve, k) => ({ name: `curve-${String(k + 1).padStart(2, "0")}`, svg: curvePlot(curve) })),
  ];
  const fitNote =
    fittedShare === 1
      ? ""
      : ` The curves are fitted on ${percent(fittedShare)} of the learners, drawn by a hash of their id.`;
  const about =
    `${scopeText(context)} Each point is the share of wrong answers at a learner's first, second, ... answer to a skill, with a 95 % interval (Wilson). ` +
    `The line is fitted to all skills at once (Additive Factors Model: Cen, Koedinger, Junker 2006), so that it is not bent by weaker learners staying longer; for each skill in the likelier of two forms, an exponential or a power law of practice.${fitNote}`;
  return {
    report: "learning-curves",
    title: "Learning curves",
    about,
    findings: findingsOf(curves),
    sections: [
      {
        title: "Skills",
        blocks: [
          { kind: "plot", svg: plots[0]?.svg ?? "" },
          { kind: "table", caption: "Each skill", head: head(), rows: curves.map(htmlRow) },
          { kind: "list", items: Object.values(categories).map(({ name, meaning }) => `${name}: ${meaning}`) },
        ],
      },
      { title: "Curves", blocks: drawn.map((_, k) => ({ kind: "plot", svg: plots[k + 1]?.svg ?? "" })) },
    ],
    plots,
    table: { columns: csvColumns, rows: curves.flatMap(csvRows) },
    shortTable: {
      columns: ["skill", "learners", "answers", "first error", "last error", "slope", "category"],
      rows: curves.map((curve) => [
        curve.skillId,
        curve.learners,
        curve.answers,
        errorText(curve, 0),
        errorText(curve, -1),
        fixed(curve.fit?.slope ?? null, 3),
        categories[curve.category].name,
      ]),
    },
    summary: { skills: curves.length, ...countCategories(curves), fittedShare },
    result,
  };
}

function findingsOf(curves: readonly LearningCurve[]): Finding[] {
  const wanted: CurveCategory[] = ["still_high", "no_learning", "low_and_flat"];
  return wanted.flatMap((category) => {
    const { name, tone, advice } = categories[category];
    const found = curves.filter((curve) => curve.category === category);
    if (found.length === 0) return [];
    const more = found.length > 5 ? ` and ${found.length - 5} more` : "";
    return [
      {
        what: `${name}: ${found
          .slice(0, 5)
          .map(({ title }) => title)
          .join(", ")}${more}`,
        todo: advice,
        tone,
      },
    ];
  });
}

function countCategories(curves: readonly LearningCurve[]): Record<CurveCategory, number> {
  const counts = { good: 0, still_high: 0, no_learning: 0, low_and_flat: 0, too_little_data: 0 };
  for (const { category } of curves) counts[category] += 1;
  return counts;
}

const firm = ({ points }: LearningCurve) => points.filter(({ learners }) => learners >= learnersMin);
const errorText = (curve: LearningCurve, at: 0 | -1): string => {
  const point = firm(curve).at(at);
  return point === undefined ? "–" : percent(point.error.estimate);
};

const head = () => [
  "Skill",
  numeric("Learners"),
  numeric("Answers"),
  numeric(
    "First error",
    `share wrong at the first opportunity, and at the last one that ${learnersMin} learners reached`,
  ),
  numeric("Last error"),
  numeric(
    "Learning",
    `logits of success gained with each opportunity, with its 95 % interval; up to ${slopeMin} is none`,
  ),
  "Category",
  whatToDo,
];

function htmlRow(curve: LearningCurve): Cell[] {
  const { name, tone, advice } = categories[curve.category];
  const [first, last] = [firm(curve)[0], firm(curve).at(-1)];
  const { fit } = curve;
  return [
    curve.title,
    whole(curve.learners),
    whole(curve.answers),
    first === undefined ? "–" : withInterval(first.error),
    last === undefined ? "–" : `${withInterval(last.error)} at ${last.opportunity}`,
    fit === null ? "–" : `${fixed(fit.slope)} (${fixed(fit.slopeLow)} to ${fixed(fit.slopeHigh)})`,
    { text: name, tone },
    advice,
  ];
}

const csvColumns = [
  "skill_id",
  "title",
  "category",
  "slope",
  "slope_low",
  "slope_high",
  "start_error",
  "form",
  "opportunity",
  "learners",
  "error",
  "error_low",
  "error_high",
  "fitted_error",
];

const csvRows = ({ skillId, title, category, fit, points }: LearningCurve): (string | number | null)[][] =>
  points.map(({ opportunity, learners, error, fitted }) => [
    skillId,
    title,
    category,
    rounded(fit?.slope ?? null),
    rounded(fit?.slopeLow ?? null),
    rounded(fit?.slopeHigh ?? null),
    rounded(fit?.startError ?? null),
    fit?.form ?? null,
    opportunity,
    learners,
    rounded(error.estimate),
    rounded(error.low),
    rounded(error.high),
    rounded(fitted),
  ]);

function categoryPlot(curves: readonly LearningCurve[]): string {
  const counts = countCategories(curves);
  return barChart({
    title: "Skills by kind of learning curve",
    description: "How many skills are of each category; the table lists each skill.",
    value: { label: "skills", whole: true },
    rows: (Object.keys(categories) as CurveCategory[]).map((category) => ({
      name: categories[category].name,
      value: counts[category],
    })),
  });
}

const formNames = { exponential: "exponential", power: "power law" } as const;

function curvePlot(curve: LearningCurve): string {
  const shown = firm(curve).length >= pointsMin ? firm(curve) : curve.points;
  return lineChart({
    title: curve.title,
    description: `Share of wrong answers at each opportunity; ${categories[curve.category].meaning}.`,
    x: {
      label: "opportunity: the learner's answers to this skill",
      min: 1,
      max: Math.max(2, shown.at(-1)?.opportunity ?? 2),
      whole: true,
      ticks: 10,
    },
    y: { label: "wrong answers", min: 0, max: 1, format: "percent" },
    series: [
      {
        name: "observed, 95 % interval",
        drawn: "dots",
        points: shown.map(({ opportunity, learners, error }) => ({
          x: opportunity,
          y: error.estimate,
          low: error.low,
          high: error.high,
          label: `opportunity ${opportunity}: ${withInterval(error)} wrong, ${learners} learners`,
        })),
      },
      {
        name: `fitted${curve.fit === null ? "" : `, ${formNames[curve.fit.form]}`}`,
        points: shown.map(({ opportunity, fitted }) => ({ x: opportunity, y: fitted })),
      },
    ],
    marks: [
      { axis: "y", at: lowError, label: "low" },
      { axis: "y", at: highError, label: "high" },
    ],
  });
}
