import { z } from "zod";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { findModel } from "../../domain/learner-model/models.ts";
import { seededRandom } from "../../domain/random.ts";
import { idOf } from "../../domain/streams.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Feed } from "../../ports/feed.ts";
import { type ReplayKind, ReplayRefused, type ReplayRun } from "../replays/replay-kind.ts";
import { createPlaces, NoSuchPlace, type Place } from "../time-travel/place.ts";
import { type WhatIfInput, whatIfInputSchema } from "./input.ts";
import { learnerLines, learnersHeader } from "./learners-file.ts";
import { type RangeDeps, type RangePlan, type RangeResult, replayRange } from "./replay-range.ts";
import { renderWhatIfHtml, type WhatIfReport } from "./report.ts";
import { addTally, newTally, type Tally } from "./tally.ts";
import { type TrainedWeights, trainOnLog } from "./weights-in-order.ts";

/** Works on the parts of a what-if; in this thread, or in others (src/app/threads/what-if-threads.ts). */
export interface WhatIfWorkers {
  /** Ranges worked on at a time. */
  readonly width: number;
  /** Trains the model of that name on the log up to a position. */
  train(model: string, to: number, watch: Watch): Promise<TrainedWeights[]>;
  range(range: number, ranges: number, plan: WorkPlan, watch: Watch): Promise<RangeResult>;
}

export interface Watch {
  readonly signal: AbortSignal;
  onProgress(position: number): void;
}

/** A plan that can be handed to another thread. */
export type WorkPlan = Omit<RangePlan, "otherModel" | "learnerIds"> & {
  readonly otherModel: { readonly model: string; readonly trained: readonly TrainedWeights[] | null } | null;
  readonly learnerIds: readonly string[] | null;
};

export interface WhatIfDeps {
  readonly feed: Feed;
  readonly model: LearnerModel;
  readonly clock: Clock;
  readonly workers: WhatIfWorkers;
}

/** More learners than this are not held in memory at once, about: so many events make a range. */
const eventsPerRange = 600_000;
const rangesMax = 64;

const checkpointSchema = z.object({
  to: z.number().int(),
  ranges: z.number().int(),
  done: z.array(z.number().int()),
  // Written by this very code: the same version, or its result would be another.
  tally: z.custom<Tally>((value) => typeof value === "object" && value !== null),
});

/** The kind of replay; the command line runs the same. */
export function whatIfKind(deps: WhatIfDeps): ReplayKind<WhatIfInput> {
  return { kind: "what-if", input: whatIfInputSchema, run: (input, run) => runWhatIf(deps, input, run) };
}

/**
 * Replays a slice of the log as it was and otherwise. Resolves with a {@link WhatIfReport}. Files: report.html, and
 * learners.csv with every learner. Goes on, after a cut, with the ranges of learners that were not done.
 */
export async function runWhatIf(deps: WhatIfDeps, input: WhatIfInput, run: ReplayRun): Promise<WhatIfReport> {
  const resumed = run.resumeFrom === null ? null : checkpointSchema.parse(run.resumeFrom);
  const slice = await sliceOf(deps, input, resumed?.to ?? null);
  const ranges = resumed?.ranges ?? rangesFor(slice.to.position, deps.workers.width);
  const progress = progressOf(run, slice.to.position, ranges, resumed?.done ?? [], input.learners !== undefined);
  const learnerIds = input.learners === undefined ? null : await drawn(deps.feed, slice, input, run, progress);
  const models = await modelsOf(deps, input, slice.to.position, run, progress);
  const plan: WorkPlan = {
    ...{ from: slice.from.position, to: slice.to.position, input, change: input.policy ?? null, learnerIds },
    otherModel: models.other,
  };
  const tally = resumed?.tally ?? newTally();
  const done = [...(resumed?.done ?? [])];
  const file = await run.openFile("learners.csv", "text/csv; charset=utf-8");
  if (file.bytes === 0) await file.write(learnersHeader);

  const open = Array.from({ length: ranges }, (_, range) => range).filter((range) => !done.includes(range));
  const next = open[Symbol.iterator]();
  const inOrder = savedInOrder(open, async (range, result) => {
    await file.write(learnerLines(result.learners));
    addTally(tally, result.tally);
    done.push(range);
    await run.checkpoint({ to: slice.to.position, ranges, done, tally });
  });
  const failed = new AbortController();
  const signal = AbortSignal.any([run.signal, failed.signal]);
  const one = async (): Promise<void> => {
    for (const range of next) {
      await inOrder(range, await deps.workers.range(range, ranges, plan, { signal, onProgress: progress.of(range) }));
    }
  };
  const ends = await Promise.allSettled(
    Array.from({ length: Math.min(deps.workers.width, open.length) }, () =>
      one().catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ),
  );
  if (ends.some(({ status }) => status === "rejected")) {
    run.signal.throwIfAborted();
    throw failed.signal.reason;
  }
  await file.close();
  const report: WhatIfReport = {
    input,
    models: { before: deps.model.name, after: models.other?.model ?? deps.model.name, weights: models.weights },
    slice: { from: written(slice.from), to: written(slice.to) },
    tally,
  };
  const page = await run.openFile("report.html", "text/html; charset=utf-8");
  if (page.bytes === 0) await page.write(renderWhatIfHtml(report));
  await page.close();
  return report;
}

/** Ranges end in any order, and are saved in theirs: files do not depend on who was faster. */
function savedInOrder(order: readonly number[], save: (range: number, result: RangeResult) => Promise<void>) {
  const waiting = new Map<number, RangeResult>();
  let next = 0;
  let saving = Promise.resolve();
  const saveNext = async (): Promise<void> => {
    for (let range = order[next]; range !== undefined; range = order[next]) {
      const result = waiting.get(range);
      if (result === undefined) return;
      waiting.delete(range);
      next += 1;
      await save(range, result);
    }
  };
  return (range: number, result: RangeResult): Promise<void> => {
    waiting.set(range, result);
    saving = saving.then(saveNext);
    return saving;
  };
}

const written = ({ position, time }: Place) => ({ position, time: time === 0 ? null : new Date(time).toISOString() });

/** A run that goes on ends where it was going to end. Throws {@link ReplayRefused} for a place that is none. */
async function sliceOf(
  { feed, clock }: WhatIfDeps,
  input: WhatIfInput,
  resumedTo: number | null,
): Promise<{ from: Place; to: Place }> {
  const places = createPlaces(feed, clock.now);
  const find = async (name: string, at: string): Promise<Place> => {
    try {
      return await places.find(at);
    } catch (error) {
      throw error instanceof NoSuchPlace ? new ReplayRefused(`${name} ${error.message}`) : error;
    }
  };
  const from = await find("from", input.from ?? "0");
  const to = await find("to", String(resumedTo ?? input.to ?? (await feed.head())));
  if (to.position > from.position) return { from, to };
  throw new ReplayRefused(`there is nothing between position ${from.position} (from) and ${to.position} (to)`);
}

function rangesFor(positions: number, width: number): number {
  const passes = Math.ceil(positions / eventsPerRange / width);
  return Math.min(rangesMax, width * Math.max(1, passes));
}

/** Positions gone through by all parts of the work, as one number. */
function progressOf(run: ReplayRun, to: number, ranges: number, done: readonly number[], drawsLearners: boolean) {
  const parts = new Map<number | "draw" | "train", number>(done.map((range) => [range, to]));
  if (drawsLearners) parts.set("draw", 0);
  const of = (part: number | "draw" | "train") => {
    parts.set(part, parts.get(part) ?? 0);
    return (position: number): void => {
      parts.set(part, position);
      let sum = 0;
      for (const reached of parts.values()) sum += reached;
      const others = [...parts.keys()].filter((one) => typeof one === "string").length;
      run.progress(sum, to * (ranges + others));
    };
  };
  return { of };
}
type Progress = ReturnType<typeof progressOf>;

/** So many of the learners with an event in the slice: those whose hash with the seed is smallest. */
async function drawn(
  feed: Feed,
  { from, to }: { readonly from: Place; readonly to: Place },
  { learners = 0, seed }: WhatIfInput,
  { signal }: ReplayRun,
  progress: Progress,
): Promise<string[]> {
  const seen = new Set<string>();
  const onProgress = progress.of("draw");
  for (let position = from.position; position < to.position; ) {
    signal.throwIfAborted();
    const page = await feed.read(position, 2_000, { categories: ["learner"] });
    for (const event of page.events) if (event.position <= to.position) seen.add(idOf(event.stream));
    position = page.position;
    onProgress(Math.min(position, to.position));
    if (page.atHead) break;
  }
  const ranked = Array.from(seen, (learnerId) => ({ learnerId, rank: seededRandom(`${seed}\n${learnerId}`)() }));
  ranked.sort((a, b) => a.rank - b.rank || (a.learnerId < b.learnerId ? -1 : 1));
  return ranked.slice(0, learners).map(({ learnerId }) => learnerId);
}

/** Another model's weights are those it published in this log, where it did; else it is trained on the log first. */
async function modelsOf(
  { feed, model, workers }: WhatIfDeps,
  input: WhatIfInput,
  to: number,
  { signal }: ReplayRun,
  progress: Progress,
): Promise<{ other: WorkPlan["otherModel"]; weights: "published" | "trained" }> {
  if (input.model === undefined || input.model === model.name) {
    if (input.policy !== undefined) return { other: null, weights: "published" };
    throw new ReplayRefused(`${model.name} is the model in use: nothing would change`);
  }
  if (await hasPublished(feed, input.model, to)) {
    return { other: { model: input.model, trained: null }, weights: "published" };
  }
  const trained = await workers.train(input.model, to, { signal, onProgress: progress.of("train") });
  return { other: { model: input.model, trained }, weights: "trained" };
}

async function hasPublished(feed: Feed, model: string, to: number): Promise<boolean> {
  for (let position = 0; position < to; ) {
    const page = await feed.read(position, 1_000, { categories: ["model"], types: ["ModelPublished"] });
    const found = page.events.some(
      ({ data, position: at }) => at <= to && (data as { model?: unknown }).model === model,
    );
    if (found || page.atHead) return found;
    position = page.position;
  }
  return false;
}

/** A plan as the ranges take it. */
export function resolvedPlan(plan: WorkPlan): RangePlan {
  const { otherModel, learnerIds } = plan;
  return {
    ...plan,
    otherModel: otherModel === null ? null : { ...otherModel, model: knownModel(otherModel.model) },
    learnerIds: learnerIds === null ? null : new Set(learnerIds),
  };
}

export function knownModel(name: string): LearnerModel {
  const model = findModel(name);
  if (model === null) throw new ReplayRefused(`there is no model ${name}`);
  return model;
}

/** In this thread, a range at a time. */
export const workersHere = (deps: RangeDeps): WhatIfWorkers => ({
  width: 1,
  train: (model, to, watch) => trainOnLog(deps.feed, knownModel(model), to, watch),
  range: (range, ranges, plan, watch) => replayRange(deps, { range, ranges }, resolvedPlan(plan), watch),
});
