import type { Cell } from "../plots/html-page.ts";
import { barChart } from "../plots/row-charts.ts";
import type { ReportContext } from "./fold-log.ts";
import { type Funnel, type FunnelSkill, practisedMin, stuckMin } from "./funnel.ts";
import {
  type Finding,
  numeric,
  percent,
  type ReportDocument,
  rounded,
  scopeText,
  whatToDo,
  whole,
  withInterval,
} from "./report-document.ts";

/** Skills in a plot. */
const drawnMax = 40;

export function funnelPage(result: Funnel, context: ReportContext): ReportDocument {
  const { skills, started, stuckLearners } = result;
  const steps = stepsOf(result);
  const plots = [
    { name: "funnel-steps", svg: stepPlot(steps, started) },
    { name: "funnel-skills", svg: skillPlot(skills) },
    { name: "funnel-here", svg: herePlot(skills) },
  ];
  const policy = context.bank.policy;
  const about =
    `${scopeText(context)} A skill is open once its prerequisites were held (mastery ${policy.prerequisiteThreshold}), and mastered once its mastery was ${policy.masteryThreshold} ` +
    "(Bayesian Knowledge Tracing, the mastery that serves). Learners who did something in the time looked at are counted, with all they did before.";
  return {
    report: "funnel",
    title: "Funnel",
    about,
    findings: findingsOf(result),
    sections: [
      {
        title: "How far learners come",
        blocks: [
          { kind: "plot", svg: plots[0]?.svg ?? "" },
          {
            kind: "table",
            caption: "Steps",
            head: ["Step", numeric("Learners"), numeric("Of those who started"), numeric("Of the step before")],
            rows: steps.map(stepRow(steps, started)),
          },
        ],
      },
      {
        title: "Skill by skill",
        blocks: [
          { kind: "beside", blocks: plots.slice(1).map(({ svg }) => ({ kind: "plot", svg })) },
          { kind: "table", caption: "Each skill, prerequisites first", head: head(), rows: skills.map(htmlRow) },
        ],
      },
      ...(stuckLearners.length === 0
        ? []
        : [
            {
              title: "Learners who are stuck",
              blocks: [
                {
                  kind: "table" as const,
                  head: ["Learner", "Skill", numeric("Answers to it")],
                  rows: stuckLearners.map(({ learnerId, skillId, answers }) => [
                    learnerId,
                    titleOf(skills, skillId),
                    whole(answers),
                  ]),
                },
              ],
            },
          ]),
    ],
    plots,
    table: { columns: csvColumns, rows: skills.map(csvRow) },
    shortTable: {
      columns: ["skill", "opened", "practised", "mastered", "of those who practised", "here now", "stuck"],
      rows: skills.map((skill) => [
        skill.skillId,
        skill.opened,
        skill.practised,
        skill.mastered,
        withInterval(skill.masteredShare),
        skill.here,
        skill.stuck,
      ]),
    },
    summary: {
      started,
      answered: result.answered,
      practised: result.practised,
      masteredOne: result.masteredOne,
      masteredHalf: result.masteredHalf,
      masteredAll: result.masteredAll,
      skills: skills.length,
    },
    result,
  };
}

interface Step {
  readonly name: string;
  readonly learners: number;
}

const stepsOf = (funnel: Funnel): Step[] => [
  { name: "started", learners: funnel.started },
  { name: "answered", learners: funnel.answered },
  { name: `practised: ${practisedMin} answers`, learners: funnel.practised },
  { name: "mastered a skill", learners: funnel.masteredOne },
  { name: "mastered half of them", learners: funnel.masteredHalf },
  { name: "mastered all", learners: funnel.masteredAll },
];

const stepRow =
  (steps: readonly Step[], started: number) =>
  ({ name, learners }: Step, k: number): Cell[] => {
    const before = steps[k - 1]?.learners ?? learners;
    const share = (of: number): string => (of === 0 ? "–" : percent(learners / of));
    return [name, whole(learners), share(started), k === 0 ? "" : share(before)];
  };

const titleOf = (skills: readonly FunnelSkill[], id: string): string =>
  skills.find(({ skillId }) => skillId === id)?.title ?? id;

/** Of fewer learners nothing is said. */
const learnersMin = 10;

interface State {
  readonly name: string;
  readonly tone: Finding["tone"] | null;
  readonly advice: string;
}

function stateOf({ opened, practised, masteredShare, here, stuck }: FunnelSkill): State {
  if (here >= 3 && stuck >= 3 && stuck * 2 >= here) {
    const advice = "Many answers and no mastery: look at its learning curve, its items and what comes before it.";
    return { name: "stuck", tone: "bad", advice };
  }
  if (practised >= learnersMin && masteredShare.high < 0.6) {
    const advice = "Most who practise it do not master it: look at its items and its prerequisites.";
    return { name: "few master it", tone: "bad", advice };
  }
  if (opened >= learnersMin / 2 && practised * 4 < opened) {
    const advice = "Few of those for whom it is open have met it: has it enough items, or is there no time for it?";
    return { name: "open, not practised", tone: "warn", advice };
  }
  if (opened === 0) return { name: "nobody yet", tone: null, advice: "Nobody has come this far." };
  if (practised < learnersMin) return { name: "too few to tell", tone: null, advice: "" };
  return masteredShare.estimate < 0.6
    ? { name: "under way", tone: null, advice: "Not many have mastered it yet." }
    : { name: "flows", tone: "good", advice: "" };
}

function findingsOf({ skills, started, answered, practised }: Funnel): Finding[] {
  const findings: Finding[] = [];
  if (started >= learnersMin && answered < 0.8 * started) {
    findings.push({
      what: `${percent(1 - answered / started)} of those who started never answered`,
      todo: "Look at what they meet first.",
      tone: "bad",
    });
  }
  if (answered >= learnersMin && practised < 0.7 * answered) {
    findings.push({
      what: `${percent(1 - practised / answered)} gave fewer than ${practisedMin} answers`,
      todo: "The first items decide: see drop-outs.",
      tone: "bad",
    });
  }
  for (const name of ["stuck", "few master it", "open, not practised"]) {
    const found = skills.filter((skill) => stateOf(skill).name === name);
    const [first] = found;
    if (first === undefined) continue;
    const { tone, advice } = stateOf(first);
    const more = found.length > 5 ? ` and ${found.length - 5} more` : "";
    findings.push({
      what: `${name}: ${found
        .slice(0, 5)
        .map(({ title }) => title)
        .join(", ")}${more}`,
      todo: advice,
      tone: tone ?? "warn",
    });
  }
  return findings;
}

const head = () => [
  "Skill",
  numeric("Open", "learners whose prerequisites for it were ever held"),
  numeric("Practised", "with an answer to it"),
  numeric("Mastered"),
  numeric("Of those who practised", "share who mastered it, with a 95 % interval"),
  numeric("Hold it now", "forgotten or shaky is less than mastered"),
  numeric("Here now", "their last answer is to this skill, and they have not mastered it"),
  numeric("Stuck", `here with ${stuckMin} answers to it or more`),
  "State",
  whatToDo,
];

function htmlRow(skill: FunnelSkill): Cell[] {
  const { name, tone, advice } = stateOf(skill);
  const state = tone === null ? name : { text: name, tone };
  const { opened, practised, mastered, holding, here, stuck } = skill;
  return [
    skill.title,
    whole(opened),
    whole(practised),
    whole(mastered),
    withInterval(skill.masteredShare),
    whole(holding),
    whole(here),
    whole(stuck),
    state,
    advice,
  ];
}

const csvColumns = [
  "skill_id",
  "title",
  "depth",
  "opened",
  "practised",
  "mastered",
  "mastered_share",
  "mastered_low",
  "mastered_high",
  "holding",
  "here",
  "stuck",
  "answers_median",
];

const csvRow = (skill: FunnelSkill): (string | number | null)[] => [
  skill.skillId,
  skill.title,
  skill.depth,
  skill.opened,
  skill.practised,
  skill.mastered,
  rounded(skill.masteredShare.estimate),
  rounded(skill.masteredShare.low),
  rounded(skill.masteredShare.high),
  skill.holding,
  skill.here,
  skill.stuck,
  skill.answersMedian,
];

function stepPlot(steps: readonly Step[], started: number): string {
  return barChart({
    title: "How far learners come",
    description: "Learners who reached each step; the table below has the figures.",
    value: { label: "learners", min: 0, max: Math.max(1, started), whole: true },
    rows: steps.map(({ name, learners }) => ({
      name,
      value: learners,
      label: started === 0 ? "0" : `${whole(learners)} (${percent(learners / started)})`,
    })),
  });
}

function skillPlot(skills: readonly FunnelSkill[]): string {
  return barChart({
    title: "Open, practised, mastered",
    description: `Learners for each skill${skills.length > drawnMax ? `, the first ${drawnMax}` : ""}; the table below has the figures.`,
    value: { label: "learners", whole: true },
    rows: skills.slice(0, drawnMax).flatMap(({ title, opened, practised, mastered }) => [
      { name: title, series: "open", value: opened },
      { name: title, series: "practised", value: practised },
      { name: title, series: "mastered", value: mastered },
    ]),
  });
}

function herePlot(skills: readonly FunnelSkill[]): string {
  return barChart({
    title: "Where learners stand",
    description: `Learners at work on each skill, not yet mastered${skills.length > drawnMax ? `, the first ${drawnMax}` : ""}.`,
    value: { label: "learners", whole: true },
    rows: skills.slice(0, drawnMax).map(({ title, here, stuck }) => ({
      name: title,
      value: here,
      label: stuck === 0 ? whole(here) : `${whole(here)}, ${whole(stuck)} stuck`,
    })),
  });
}
