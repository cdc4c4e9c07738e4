import { decodeEvent } from "../../domain/decode-event.ts";
import { type EventOf, experimentArmSchema, type Policy, policySchema } from "../../domain/events.ts";
import { newLearnerState } from "../../domain/learner/learner-state.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { idOf } from "../../domain/streams.ts";
import type { Blobs } from "../../ports/blobs.ts";
import type { EventStore } from "../../ports/event-store.ts";
import type { Feed } from "../../ports/feed.ts";
import type { Log } from "../../ports/log.ts";
import { type Context, createContext } from "../../projections/context.ts";
import { foldStream } from "../../projections/learner-fold.ts";
import { createTurns } from "../../projections/turns.ts";
import { type Difference, differenceInterval, type Part, ratioInterval } from "../statistics/comparison.ts";
import type { Estimate } from "../statistics/intervals.ts";
import { TooMuchHistory } from "../time-travel/past-counters.ts";
import type { ExperimentInLog } from "./experiments-in-log.ts";
import {
  countMastered,
  createLearnerFigures,
  type LearnerFigures,
  type MeasureName,
  measures,
} from "./learner-figures.ts";

export interface ExperimentResultsDeps {
  readonly feed: Feed;
  readonly store: Pick<EventStore, "readStream">;
  readonly blobs: Blobs;
  readonly model: LearnerModel;
  readonly log: Log;
}

export interface ExperimentResultsOptions {
  /** Events read at the most; more is TooMuchHistory. */
  readonly eventsMax?: number;
  readonly signal?: AbortSignal;
  onProgress?(events: number): void;
}

export type Figures<T> = { readonly [Name in MeasureName]: T };

export interface ArmResults {
  readonly arm: string;
  readonly share: number;
  readonly control: boolean;
  readonly learners: number;
  readonly measures: Figures<Estimate>;
  /** This arm less the control; null for the control. */
  readonly differences: Figures<Difference> | null;
}

export interface ExperimentResults extends Omit<ExperimentInLog, "arms"> {
  /** Of the log: what is counted ends here. */
  readonly position: number;
  readonly model: string;
  /** Of the weights that all mastery is measured with. */
  readonly modelVersion: number;
  readonly masteryThreshold: number;
  readonly masteryNeeds: Policy["masteryNeeds"];
  readonly learners: number;
  /** Learners seen in two arms: left out. */
  readonly moved: number;
  readonly arms: readonly ArmResults[];
  readonly warnings: readonly string[];
}

const pageSize = 2_000;

/**
 * What came of an experiment so far, from the log alone. One pass over the interactions since it began, to find its learners,
 * then each of their streams from the first event, one after the other: memory for one learner and a few numbers for each.
 * Mastery is measured for all arms with the same ruler: the weights published last, the track's own policy.
 */
export async function experimentResults(
  deps: ExperimentResultsDeps,
  experiment: ExperimentInLog,
  options: ExperimentResultsOptions = {},
): Promise<ExperimentResults> {
  const position = experiment.to ?? (await deps.feed.head());
  const budget = createBudget(options);
  const context = createContext(deps);
  await context.moveTo(position);
  const { members, lastAt } = await membersOf(deps.feed, experiment, position, budget);
  const ruler = rulerOf(context, experiment);
  const figures = new Map<string, LearnerFigures[]>(experiment.arms.map(({ arm }) => [arm, []]));
  let moved = 0;
  for (const [stream, member] of members) {
    if (member.arm === null) moved += 1;
    else {
      const one = await figuresOf(deps, { stream, entry: member.entry, ruler, experiment, position, lastAt, budget });
      const known = figures.get(member.arm) ?? [];
      known.push(one);
      figures.set(member.arm, known);
    }
  }
  const { arms: _, ...about } = experiment;
  return {
    ...{ ...about, position, model: deps.model.name, modelVersion: context.current.version },
    ...{ masteryThreshold: ruler.policy.masteryThreshold, masteryNeeds: ruler.policy.masteryNeeds },
    ...{ learners: members.size, moved },
    arms: armResults(experiment, figures),
    warnings: warningsOf(experiment, figures, moved, members.size),
  };
}

interface Budget {
  /** Told of events read; throws where it is used up, or the work was cancelled. */
  spend(events: number): Promise<void>;
}

function createBudget({ eventsMax = Number.POSITIVE_INFINITY, signal, onProgress }: ExperimentResultsOptions): Budget {
  const turns = createTurns();
  let spent = 0;
  return {
    async spend(events) {
      signal?.throwIfAborted();
      spent += events;
      onProgress?.(spent);
      if (spent > eventsMax) throw new TooMuchHistory(`the results take more than ${eventsMax} events`);
      if (turns.due()) await turns.take();
    },
  };
}

interface Member {
  /** null: was seen in two. */
  arm: string | null;
  /** Revision of their first interaction in the experiment. */
  readonly entry: number;
}

/** By stream, in order of their entry. */
async function membersOf(feed: Feed, experiment: ExperimentInLog, to: number, budget: Budget) {
  const members = new Map<string, Member>();
  let lastAt = Date.parse(experiment.startedAt);
  for (let position = experiment.from, atHead = false; !atHead && position < to; ) {
    const page = await feed.read(position, pageSize, { categories: ["learner"], types: ["InteractionRecorded"] });
    await budget.spend(page.events.length);
    for (const { stream, revision, data, recordedAt, position: at } of page.events) {
      if (at > to) break;
      lastAt = Math.max(lastAt, Date.parse(recordedAt));
      const dealt = experimentArmSchema.safeParse((data as { experiment?: unknown } | null)?.experiment);
      if (!dealt.success || dealt.data.experimentId !== experiment.experimentId) continue;
      const known = members.get(stream);
      if (known === undefined) members.set(stream, { arm: dealt.data.arm, entry: revision });
      else if (known.arm !== dealt.data.arm) known.arm = null;
    }
    ({ position, atHead } = page);
  }
  return { members, lastAt };
}

interface Ruler {
  readonly context: Context;
  readonly skillIds: readonly string[];
  readonly policy: Policy;
}

function rulerOf(context: Context, { trackId }: ExperimentInLog): Ruler {
  const { current } = context;
  const bank = context.bank(trackId) ?? context.bank(null);
  return {
    context: { ...context, weightsAt: async () => current },
    skillIds: bank?.skillIds ?? [],
    policy: context.catalogue.tracks.get(trackId)?.policy ?? policySchema.parse({}),
  };
}

interface Counting {
  readonly stream: string;
  readonly entry: number;
  readonly ruler: Ruler;
  readonly experiment: ExperimentInLog;
  readonly position: number;
  /** When the last interaction that counts was recorded. */
  readonly lastAt: number;
  readonly budget: Budget;
}

/** An event that cannot be folded ends it: figures without it would lie. */
async function figuresOf(deps: ExperimentResultsDeps, counting: Counting): Promise<LearnerFigures> {
  const { stream, entry, ruler, experiment, position, lastAt, budget } = counting;
  const { skillIds, policy, context } = ruler;
  const figures = createLearnerFigures(experiment.experimentId, lastAt);
  const state = newLearnerState(deps.model);
  const fold = async (toRevision: number): Promise<number> => {
    const failure = await foldStream(
      { store: deps.store, model: deps.model, context },
      {
        ...{ stream, state, toRevision, toPosition: position },
        onTransition: (_, stored) => figures.add(decodeEvent(stored) as EventOf<"InteractionRecorded">),
      },
    );
    if (failure !== null) throw new Error(`learner ${idOf(stream)} cannot be folded`, { cause: failure.error });
    return countMastered(state, skillIds, policy);
  };
  const before = await fold(entry - 1);
  const after = await fold(Number.MAX_SAFE_INTEGER);
  await budget.spend(state.revision);
  return figures.done(before, after);
}

const measureNames = Object.keys(measures) as MeasureName[];

function armResults({ arms }: ExperimentInLog, figures: ReadonlyMap<string, readonly LearnerFigures[]>): ArmResults[] {
  const partsOf = (arm: string, name: MeasureName): Part[] =>
    (figures.get(arm) ?? []).flatMap((one) => measures[name].of(one) ?? []);
  const all = <T>(make: (name: MeasureName) => T): Figures<T> =>
    Object.fromEntries(measureNames.map((name) => [name, make(name)])) as Figures<T>;
  const control = arms[0]?.arm ?? "";
  return arms.map(({ arm, share }) => ({
    ...{ arm, share, control: arm === control, learners: figures.get(arm)?.length ?? 0 },
    measures: all((name) => ratioInterval(partsOf(arm, name))),
    differences: arm === control ? null : all((name) => differenceInterval(partsOf(arm, name), partsOf(control, name))),
  }));
}

/** Learners of an arm below which its intervals say little. */
const learnersMin = 30;
/** Standard deviations by which the number of an arm's learners may differ from its share. */
const imbalanceMax = 4;

function warningsOf(
  { arms, changes }: ExperimentInLog,
  figures: ReadonlyMap<string, readonly LearnerFigures[]>,
  moved: number,
  learners: number,
): string[] {
  const warnings: string[] = [];
  const counted = Array.from(figures.values(), ({ length }) => length).reduce((a, b) => a + b, 0);
  for (const { arm, share } of arms) {
    const n = figures.get(arm)?.length ?? 0;
    if (n < learnersMin && share > 0)
      warnings.push(`arm "${arm}" has ${n} learners: its intervals are rough below ${learnersMin}`);
    const sd = Math.sqrt(counted * share * (1 - share));
    if (changes === 0 && sd > 0 && Math.abs(n - counted * share) > imbalanceMax * sd) {
      warnings.push(
        `arm "${arm}" has ${n} of ${counted} learners at a share of ${share}: something keeps learners out of an arm`,
      );
    }
  }
  if (changes > 0) warnings.push(`it was changed ${changes} times while it ran: arms are compared over all of it`);
  if (moved > 0) warnings.push(`${moved} of ${learners} learners were seen in two arms and are left out`);
  return warnings;
}
