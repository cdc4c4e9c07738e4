import type { Policy } from "../../domain/events.ts";
import type { BankSkill } from "../../domain/item-selection/selection.ts";
import { type Estimate, quantileOf, wilsonInterval } from "../statistics/intervals.ts";
import type { Collector, ReportContext } from "./fold-log.ts";
import type { Observation, ReportLearner } from "./report-learner.ts";

/** A learner with so many answers has practised. */
export const practisedMin = 10;
/** Answers to a skill without mastery from which on a learner is stuck. */
export const stuckMin = 20;

export interface FunnelSkill {
  readonly skillId: string;
  readonly title: string;
  /** Longest way from a skill without prerequisites. */
  readonly depth: number;
  /** Learners for whom its prerequisites were ever held; who answered one of its items; who ever mastered it; who hold it now. */
  readonly opened: number;
  readonly practised: number;
  readonly mastered: number;
  readonly holding: number;
  /** Of those who practised it. */
  readonly masteredShare: Estimate;
  /** Learners at work on it: the skill of their last answer that they have not mastered. */
  readonly here: number;
  /** With {@link stuckMin} answers or more, and no mastery. */
  readonly stuck: number;
  /** Answers to it of those who practised it, in the middle; null for none. */
  readonly answersMedian: number | null;
}

export interface Funnel {
  readonly started: number;
  readonly answered: number;
  readonly practised: number;
  /** Mastered at least one skill, half of them, all of them. */
  readonly masteredOne: number;
  readonly masteredHalf: number;
  readonly masteredAll: number;
  /** Prerequisites first. */
  readonly skills: readonly FunnelSkill[];
  /** Learners with no answer, or none to a skill of the track, or who mastered what they last practised. */
  readonly elsewhere: number;
  readonly stuckLearners: readonly { readonly learnerId: string; readonly skillId: string; readonly answers: number }[];
}

export interface FunnelCollector extends Collector {
  result(context: ReportContext): Funnel;
}

interface Progress {
  answers: number;
  lastSkillIds: readonly string[];
}

export function collectFunnel(): FunnelCollector {
  const progress = new Map<number, Progress>();

  function add({ learner, answer, data }: Observation): void {
    let mine = progress.get(learner.number);
    if (mine === undefined) {
      mine = { answers: 0, lastSkillIds: [] };
      progress.set(learner.number, mine);
    }
    if (answer === null) return;
    mine.answers += 1;
    mine.lastSkillIds = data.skillIds;
  }

  function result({ bank, catalogue, input, learners }: ReportContext): Funnel {
    const skills = bank.skills.filter(({ skillId }) => input.skillId === undefined || skillId === input.skillId);
    const tallies = skills.map((skill) => newTally(skill));
    const totals = { answered: 0, practised: 0, masteredOne: 0, masteredHalf: 0, masteredAll: 0, elsewhere: 0 };
    const stuckLearners: Funnel["stuckLearners"][number][] = [];
    for (const [number, { answers, lastSkillIds }] of progress) {
      const learner = learners[number] as ReportLearner;
      if (answers > 0) totals.answered += 1;
      if (answers >= practisedMin) totals.practised += 1;
      const mastered = tallies.filter((tally) => countSkill(tally, learner, bank.policy)).length;
      if (mastered > 0) totals.masteredOne += 1;
      if (mastered > 0 && mastered * 2 >= skills.length) totals.masteredHalf += 1;
      if (mastered > 0 && mastered === skills.length) totals.masteredAll += 1;
      const here = tallies.find(
        ({ skill }) => lastSkillIds.includes(skill.skillId) && !everMastered(learner, skill.skillId),
      );
      if (here === undefined) totals.elsewhere += 1;
      else here.here += 1;
      const n = here === undefined ? 0 : answersTo(learner, here.skill.skillId);
      if (here === undefined || n < stuckMin) continue;
      here.stuck += 1;
      stuckLearners.push({ learnerId: learner.id, skillId: here.skill.skillId, answers: n });
    }
    stuckLearners.sort((a, b) => b.answers - a.answers || (a.learnerId < b.learnerId ? -1 : 1));
    return {
      started: progress.size,
      ...totals,
      skills: tallies.map((tally) => describe(tally, catalogue.skills.get(tally.skill.skillId)?.title)),
      stuckLearners: input.learners ? stuckLearners.slice(0, 200) : [],
    };
  }

  return { add, result };
}

interface SkillTally {
  readonly skill: BankSkill;
  opened: number;
  mastered: number;
  holding: number;
  here: number;
  stuck: number;
  readonly answers: number[];
}

const newTally = (skill: BankSkill): SkillTally => ({
  skill,
  opened: 0,
  mastered: 0,
  holding: 0,
  here: 0,
  stuck: 0,
  answers: [],
});

/** Returns whether the learner ever mastered it. */
function countSkill(
  tally: SkillTally,
  learner: ReportLearner,
  { prerequisiteThreshold, masteryThreshold }: Policy,
): boolean {
  const { skillId, prerequisites } = tally.skill;
  const opened = prerequisites.every(
    ({ skillId: id, weight }) => peakOf(learner, id) >= prerequisiteThreshold * weight,
  );
  const answers = answersTo(learner, skillId);
  // What was practised was open at that time, by a policy of then or in another track.
  if (opened || answers > 0) tally.opened += 1;
  if (answers > 0) tally.answers.push(answers);
  const number = learner.ids.skills.find(skillId);
  const mastered = learner.mastered[number] === true;
  if (mastered) tally.mastered += 1;
  if (mastered && (learner.mastery[number]?.p ?? 0) >= masteryThreshold) tally.holding += 1;
  return mastered;
}

const answersTo = ({ ids, mastery }: ReportLearner, skillId: string): number =>
  mastery[ids.skills.find(skillId)]?.n ?? 0;
const peakOf = ({ ids, peaks }: ReportLearner, skillId: string): number => peaks[ids.skills.find(skillId)] ?? 0;
const everMastered = ({ ids, mastered }: ReportLearner, skillId: string): boolean =>
  mastered[ids.skills.find(skillId)] === true;

function describe({ skill, opened, mastered, holding, here, stuck, answers }: SkillTally, title?: string): FunnelSkill {
  const practised = answers.length;
  return {
    skillId: skill.skillId,
    title: title ?? skill.skillId,
    depth: skill.depth,
    opened,
    practised,
    mastered,
    holding,
    masteredShare: wilsonInterval(mastered, practised),
    here,
    stuck,
    answersMedian:
      practised === 0
        ? null
        : quantileOf(
            answers.sort((a, b) => a - b),
            0.5,
          ),
  };
}
