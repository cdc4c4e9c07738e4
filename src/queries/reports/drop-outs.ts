import { type Estimate, wilsonInterval } from "../statistics/intervals.ts";
import { kaplanMeier, type Survival } from "../statistics/kaplan-meier.ts";
import type { Collector, ReportContext } from "./fold-log.ts";
import type { Observation, ReportLearner } from "./report-learner.ts";

const dayMs = 86_400_000;
/** Longer runs of wrong answers are one. */
export const longestRun = 6;
/** Places with fewer answers are left out of the lists: nothing can be said of them. */
const answersMin = 20;
const stopsMin = 3;
const surely = 0.997;
const listMax = 100;

/** A place where learners stop: how often it was the last one, of the times somebody was there. */
export interface StoppingPlace {
  readonly id: string;
  readonly title: string;
  /** Answers there. */
  readonly answers: number;
  /** Learners whose last answer it was, and who stopped. */
  readonly stopped: number;
  /** Of the answers there, the share after which the learner stopped (Wilson). */
  readonly rate: Estimate;
  /** Three or more stopped there, and the whole 99.7 % interval lies above the rate of all answers: many places are looked at. */
  readonly more: boolean;
}

export interface DropOuts {
  readonly learners: number;
  /** Did nothing for `inactiveDays` at the end of the log, and had not mastered every skill. */
  readonly stopped: number;
  readonly active: number;
  readonly finished: number;
  readonly stoppedShare: Estimate;
  readonly inactiveDays: number;
  /** The end of the log: the last thing anyone did. Milliseconds since 1970; null for nothing. */
  readonly until: number | null;
  /** Of all answers, the share after which the learner stopped. */
  readonly rate: number;
  /** By days since the first interaction, and by answers given. */
  readonly byDays: Survival;
  readonly byAnswers: Survival;
  /** By how many wrong answers in a row came last: 0, 1, ... {@link longestRun} and more. */
  readonly afterWrong: readonly StoppingPlace[];
  readonly afterSkill: readonly StoppingPlace[];
  readonly afterItem: readonly StoppingPlace[];
  /** Days since they did something last: 0-1, 2-6, ... as [from, to), learners. */
  readonly inactive: readonly { readonly from: number; readonly to: number; readonly learners: number }[];
  readonly stoppedLearners: readonly {
    readonly learnerId: string;
    readonly lastAt: string;
    readonly lastItemId: string | null;
    readonly wrongInARow: number;
    readonly answers: number;
  }[];
}

export interface DropOutsCollector extends Collector {
  result(context: ReportContext): DropOuts;
}

interface Trail {
  firstAt: number;
  lastAt: number;
  answers: number;
  /** Wrong answers in a row up to now. */
  wrong: number;
  lastItemId: string | null;
  lastSkillIds: readonly string[];
}

export function collectDropOuts(): DropOutsCollector {
  const trails = new Map<number, Trail>();
  const items = new Map<string, number>();
  const skills = new Map<string, number>();
  const runs = new Array<number>(longestRun + 1).fill(0);

  function add({ learner, data, at, answer }: Observation): void {
    let trail = trails.get(learner.number);
    if (trail === undefined) {
      trail = { firstAt: at, lastAt: at, answers: 0, wrong: 0, lastItemId: null, lastSkillIds: [] };
      trails.set(learner.number, trail);
    }
    trail.firstAt = Math.min(trail.firstAt, at);
    trail.lastAt = Math.max(trail.lastAt, at);
    if (answer === null) return;
    trail.answers += 1;
    trail.wrong = answer.correct ? 0 : trail.wrong + 1;
    trail.lastItemId = data.itemId;
    trail.lastSkillIds = data.skillIds;
    items.set(data.itemId, (items.get(data.itemId) ?? 0) + 1);
    for (const { skillId } of answer.skills) skills.set(skillId, (skills.get(skillId) ?? 0) + 1);
    const run = Math.min(longestRun, trail.wrong);
    runs[run] = (runs[run] ?? 0) + 1;
  }

  function result(context: ReportContext): DropOuts {
    const { catalogue, input, learners } = context;
    const until = context.lastAt;
    const ends = [...trails].map(([number, trail]) => {
      const learner = learners[number] as ReportLearner;
      const quiet = ((until ?? 0) - trail.lastAt) / dayMs;
      const finished = hasFinished(learner, context);
      return { learner, trail, quiet, finished, stopped: !finished && quiet >= input.inactiveDays };
    });
    const stopped = ends.filter((end) => end.stopped);
    const answered = stopped.filter(({ trail }) => trail.answers > 0);
    const rate = context.answers === 0 ? 0 : answered.length / context.answers;
    const places = (all: ReadonlyMap<string, number>, last: readonly string[], titleOf: (id: string) => string) =>
      placesOf(all, last, rate, titleOf).filter(({ answers }) => answers >= answersMin);
    const lastRuns = answered.map(({ trail }) => String(Math.min(longestRun, trail.wrong)));
    const finished = ends.filter((end) => end.finished).length;
    return {
      learners: ends.length,
      stopped: stopped.length,
      active: ends.length - stopped.length - finished,
      finished,
      stoppedShare: wilsonInterval(stopped.length, ends.length),
      inactiveDays: input.inactiveDays,
      until,
      rate,
      byDays: kaplanMeier(
        ends.map(({ trail, stopped: ended }) => ({ time: Math.floor((trail.lastAt - trail.firstAt) / dayMs), ended })),
      ),
      byAnswers: kaplanMeier(ends.map(({ trail, stopped: ended }) => ({ time: trail.answers, ended }))),
      afterWrong: placesOf(new Map(runs.map((count, run) => [String(run), count])), lastRuns, rate, runTitle),
      afterSkill: byRate(
        places(
          skills,
          answered.flatMap(({ trail }) => trail.lastSkillIds),
          (id) => catalogue.skills.get(id)?.title ?? id,
        ),
      ),
      afterItem: byRate(
        places(
          items,
          answered.map(({ trail }) => trail.lastItemId ?? ""),
          (id) => catalogue.items.get(id)?.title ?? id,
        ),
      ),
      inactive: quietBins(ends.map(({ quiet }) => quiet)),
      stoppedLearners: input.learners ? stopped.slice(0, 200).map(nameStopped) : [],
    };
  }

  return { add, result };
}

function hasFinished({ ids, mastered }: ReportLearner, { bank, input }: ReportContext): boolean {
  const skills = bank.skills.filter(({ skillId }) => input.skillId === undefined || skillId === input.skillId);
  return skills.length > 0 && skills.every(({ skillId }) => mastered[ids.skills.find(skillId)] === true);
}

function placesOf(
  all: ReadonlyMap<string, number>,
  last: readonly string[],
  rate: number,
  titleOf: (id: string) => string,
): StoppingPlace[] {
  const stops = new Map<string, number>();
  for (const id of last) stops.set(id, (stops.get(id) ?? 0) + 1);
  return [...all].map(([id, answers]) => {
    const stopped = stops.get(id) ?? 0;
    const share = wilsonInterval(stopped, answers);
    return {
      id,
      title: titleOf(id),
      answers,
      stopped,
      rate: share,
      more: stopped >= stopsMin && wilsonInterval(stopped, answers, surely).low > rate,
    };
  });
}

const byRate = (places: readonly StoppingPlace[]): StoppingPlace[] =>
  places
    .filter(({ stopped }) => stopped > 0)
    .sort((a, b) => b.rate.low - a.rate.low || b.answers - a.answers || (a.id < b.id ? -1 : 1))
    .slice(0, listMax);

const runTitle = (run: string): string => {
  if (run === "0") return "a right answer";
  if (run === "1") return "one wrong answer";
  return run === String(longestRun) ? `${run} or more wrong in a row` : `${run} wrong in a row`;
};

function quietBins(days: readonly number[]): { from: number; to: number; learners: number }[] {
  const edges = [0, 2, 7, 14, 28, 56, Number.POSITIVE_INFINITY];
  return edges.slice(1).map((to, k) => {
    const from = edges[k] ?? 0;
    return { from, to, learners: days.filter((day) => day >= from && day < to).length };
  });
}

function nameStopped({
  learner,
  trail,
}: {
  readonly learner: ReportLearner;
  readonly trail: Trail;
}): DropOuts["stoppedLearners"][number] {
  const { lastItemId, wrong, answers, lastAt } = trail;
  return { learnerId: learner.id, lastAt: new Date(lastAt).toISOString(), lastItemId, wrongInARow: wrong, answers };
}
