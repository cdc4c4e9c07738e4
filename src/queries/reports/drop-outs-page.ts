import type { Block, Cell, Section } from "../plots/html-page.ts";
import { type LinePoint, lineChart } from "../plots/line-chart.ts";
import { barChart, intervalChart } from "../plots/row-charts.ts";
import type { Survival } from "../statistics/kaplan-meier.ts";
import type { DropOuts, StoppingPlace } from "./drop-outs.ts";
import type { ReportContext } from "./fold-log.ts";
import {
  day,
  type Finding,
  numeric,
  percent,
  type ReportDocument,
  rounded,
  scopeText,
  whole,
} from "./report-document.ts";

const listedMax = 30;

export function dropOutsPage(result: DropOuts, context: ReportContext): ReportDocument {
  const { stopped, active, finished, learners, inactiveDays, until } = result;
  const plots = [
    {
      name: "drop-outs-days",
      svg: survivalPlot(result.byDays, "Who is still learning, by day", "days since the first interaction"),
    },
    {
      name: "drop-outs-answers",
      svg: survivalPlot(result.byAnswers, "Who is still learning, by answers given", "answers"),
    },
    { name: "drop-outs-after-wrong", svg: runPlot(result) },
    { name: "drop-outs-inactive", svg: inactivePlot(result) },
  ];
  const end = until === null ? "the end of the log" : day(until);
  const about =
    `${scopeText(context)} A learner who did nothing in the ${inactiveDays} days before ${end} and had not mastered everything has stopped. ` +
    "Those still active, and those who finished, are counted up to the last thing they did and then leave the curve (censored: Kaplan, Meier 1958).";
  return {
    report: "drop-outs",
    title: "Drop-outs",
    about,
    findings: findingsOf(result),
    sections: sectionsOf(
      result,
      plots.map(({ svg }) => svg),
    ),
    plots,
    table: {
      columns: csvColumns,
      rows: [
        ...csvRows("wrong in a row", result.afterWrong),
        ...csvRows("skill", result.afterSkill),
        ...csvRows("item", result.afterItem),
      ],
    },
    shortTable: {
      columns: ["after", "answers", "stopped there", "share of answers there", ""],
      rows: [...result.afterWrong, ...result.afterSkill.slice(0, 8), ...result.afterItem.slice(0, 8)].map(
        ({ title, answers, stopped: n, rate, more }) => [
          title,
          answers,
          n,
          rateText(rate),
          more ? "more than usual" : "",
        ],
      ),
    },
    summary: {
      learners,
      stopped,
      active,
      finished,
      inactiveDays,
      medianDays: result.byDays.median,
      medianAnswers: result.byAnswers.median,
    },
    result,
  };
}

function sectionsOf(result: DropOuts, svgs: readonly string[]): Section[] {
  const { learners, stopped, active, finished, stoppedLearners } = result;
  const [byDays = "", byAnswers = "", afterWrong = "", inactive = ""] = svgs;
  return [
    {
      title: "Who goes on",
      blocks: [
        {
          kind: "figures",
          figures: [
            { name: "learners", value: whole(learners) },
            { name: "stopped", value: `${whole(stopped)} (${learners === 0 ? "–" : percent(stopped / learners)})` },
            { name: "active", value: whole(active) },
            { name: "finished", value: whole(finished) },
          ],
        },
        { kind: "text", text: medianText(result) },
        { kind: "beside", blocks: [byDays, byAnswers].map((svg) => ({ kind: "plot", svg })) },
        { kind: "plot", svg: inactive },
      ],
    },
    {
      title: "Where they stop",
      blocks: [
        {
          kind: "plot",
          svg: afterWrong,
          caption: `After ${shareText(result.rate)} of all answers the learner stopped: the dashed line.`,
        },
        placeTable("After what kind of answer", result.afterWrong),
        placeTable("After which skill", result.afterSkill.slice(0, listedMax)),
        placeTable("After which item", result.afterItem.slice(0, listedMax)),
      ],
    },
    ...(stoppedLearners.length === 0
      ? []
      : [{ title: "Learners who stopped", blocks: [stoppedTable(stoppedLearners)] }]),
  ];
}

function findingsOf({
  afterWrong,
  afterSkill,
  afterItem,
  learners,
  stopped,
  inactiveDays,
  byAnswers,
}: DropOuts): Finding[] {
  const findings: Finding[] = [];
  if (learners >= 10 && stopped * 3 >= learners) {
    findings.push({
      what: `${percent(stopped / learners)} have stopped (nothing for ${inactiveDays} days)`,
      todo: `Ask some of them why.${byAnswers.median === null ? "" : ` Half stop before ${whole(byAnswers.median)} answers: look at what comes there.`}`,
      tone: "bad",
    });
  }
  const streak = afterWrong.filter(({ id, more }) => more && id !== "0");
  if (streak.length > 0) {
    findings.push({
      what: `Learners stop more often after ${streak.map(({ title }) => title).join(", ")}`,
      todo: "Give something easier after wrong answers: raise the target success of the track.",
      tone: "bad",
    });
  }
  const named = (kind: string, places: readonly StoppingPlace[], todo: string): void => {
    const found = places.filter(({ more }) => more).slice(0, 5);
    if (found.length > 0)
      findings.push({
        what: `Learners stop more often after ${kind}: ${found.map(({ title }) => title).join("; ")}`,
        todo,
        tone: "warn",
      });
  };
  named("these skills", afterSkill, "See their learning curves and items.");
  named("these items", afterItem, "See them under Items: too hard, too long, or broken?");
  return findings;
}

function medianText({ byDays, byAnswers }: DropOuts): string {
  const by = (median: number | null, unit: string): string =>
    median === null ? "more than half go on for as long as is known" : `half have stopped by ${whole(median)} ${unit}`;
  return `By time, ${by(byDays.median, "days")}; by work, ${by(byAnswers.median, "answers")}.`;
}

const rateText = ({ estimate, low, high, n }: StoppingPlace["rate"]): string =>
  n === 0 ? "–" : `${shareText(estimate)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
const shareText = (share: number): string => `${(100 * share).toFixed(1)} %`;

function placeTable(caption: string, places: readonly StoppingPlace[]): Block {
  if (places.length === 0) return { kind: "text", text: `${caption}: nobody stopped at a place with enough answers.` };
  const rows = places.map(({ title, answers, stopped, rate, more }): Cell[] => [
    title,
    whole(answers),
    whole(stopped),
    rateText(rate),
    more ? { text: "more than usual", tone: "bad" } : "",
  ]);
  return {
    kind: "table",
    caption,
    head: [
      "After",
      numeric("Answers"),
      numeric("Stopped there"),
      numeric("Share of answers there"),
      "Beside all answers",
    ],
    rows,
  };
}

const stoppedTable = (learners: DropOuts["stoppedLearners"]): Block => ({
  kind: "table",
  head: ["Learner", "Last active", "Last item", numeric("Wrong in a row"), numeric("Answers")],
  rows: learners.map(({ learnerId, lastAt, lastItemId, wrongInARow, answers }) => [
    learnerId,
    lastAt.slice(0, 10),
    lastItemId ?? "–",
    whole(wrongInARow),
    whole(answers),
  ]),
});

const csvColumns = ["after", "id", "title", "answers", "stopped", "rate", "rate_low", "rate_high", "more_than_usual"];

const csvRows = (after: string, places: readonly StoppingPlace[]): (string | number | null)[][] =>
  places.map(({ id, title, answers, stopped, rate, more }) => [
    after,
    id,
    title,
    answers,
    stopped,
    rounded(rate.estimate, 6),
    rounded(rate.low, 6),
    rounded(rate.high, 6),
    more ? "yes" : "no",
  ]);

function survivalPlot({ steps, n, ended, end }: Survival, title: string, label: string): string {
  const last = steps.at(-1);
  return lineChart({
    title,
    description: `Share of ${n} learners who had not stopped after so many ${label}, with a 95 % band; ${ended} stopped.`,
    x: { label, min: 0, max: Math.max(1, end), whole: true },
    y: { label: "still learning", min: 0, max: 1, format: "percent" },
    series: [
      {
        name: "still learning",
        drawn: "steps",
        points: [
          { x: 0, y: 1, low: 1, high: 1 },
          ...steps.map(({ time, survival, low, high }) => stepPoint(time, survival, low, high)),
          ...(last === undefined ? [{ x: end, y: 1 }] : [stepPoint(end, last.survival, last.low, last.high)]),
        ],
      },
    ],
  });
}

/** Past the last one that stopped the curve goes on to the end of what is known. */
const stepPoint = (x: number, y: number, low: number, high: number): LinePoint => ({
  x,
  y,
  ...(Number.isNaN(low) ? {} : { low, high }),
});

function runPlot({ afterWrong, rate }: DropOuts): string {
  return intervalChart({
    title: "How often learners stop after wrong answers",
    description:
      "Share of answers that were the learner's last, by how many wrong ones in a row came last, with 95 % intervals.",
    value: { label: "share of answers after which the learner stopped, %", min: 0 },
    rows: afterWrong
      .filter(({ answers }) => answers > 0)
      .map(({ title, rate: { estimate, low, high } }) => ({
        name: title,
        value: 100 * estimate,
        low: 100 * low,
        high: 100 * high,
      })),
    marks: [{ axis: "x", at: 100 * rate, label: "all answers" }],
  });
}

function inactivePlot({ inactive }: DropOuts): string {
  return barChart({
    title: "How long ago learners did something",
    description: "Learners by days since their last interaction, at the end of what is looked at.",
    value: { label: "learners", whole: true },
    rows: inactive.map(({ from, to, learners }) => ({
      name: Number.isFinite(to) ? `${from} to ${to - 1} days ago` : `${from} days ago or more`,
      value: learners,
    })),
  });
}
