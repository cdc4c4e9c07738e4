import { newLearnerState } from "../domain/learner/learner-state.ts";
import type { StoredEvent } from "../domain/stored-event.ts";
import type { Log } from "../ports/log.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { type Batch, type BatchLearner, groupsOf, type Step } from "./batch.ts";
import type { Context } from "./context.ts";
import type { Counters } from "./counters.ts";
import { type FoldFailure, foldInteraction, foldStream, type LearnerFoldDeps } from "./learner-fold.ts";
import { createLearnerMemory } from "./learner-memory.ts";
import { type LearnerEntry, makeLists, readEntries } from "./learner-rows.ts";
import { encodeLearnerState } from "./learner-scores.ts";
import { madeNow, madeWhenWritten, type UnwrittenRow } from "./learner-writes.ts";
import type { Parking } from "./parking.ts";
import { createTurns } from "./turns.ts";
import { goThroughModels, type WeightsBefore } from "./weights-before.ts";

export interface BatchFoldDeps extends LearnerFoldDeps {
  readonly readModels: ReadModels;
  readonly context: Context;
  readonly parking: Pick<Parking, "park" | "settle">;
  /** Those in use now. */
  counters(): Counters;
  readonly log: Log;
}

export interface BatchFoldOptions {
  readonly namespace: string;
  /** Items in a precomputed list. */
  readonly listSize: number;
  /** Decoded learner states kept from batch to batch. */
  readonly learnersInMemory: number;
}

/** Folds the learners of a batch, each from where the stored row or the memory has them. */
export interface BatchFold {
  /** What is to be written, and, with `counting`, counted: the counters are changed in memory. */
  fold(batch: Batch, counting: boolean): Promise<UnwrittenRow[]>;
  forget(stream: string): void;
  /** Nothing in memory is worth anything. */
  clear(): void;
}

/** Steps between two looks at the clock. */
const stepsUnasked = 16;
/** Learners folded at a time where they do not all fit into memory. */
const groupSize = 500;

export function createBatchFold(deps: BatchFoldDeps, options: BatchFoldOptions): BatchFold {
  const { readModels, model, context, parking, log } = deps;
  const { namespace, listSize, learnersInMemory } = options;
  const cache = createLearnerMemory(learnersInMemory);
  const newest: WeightsBefore = () => context.current;
  let weightsBefore = newest;

  /** Learners that do not fit into memory are folded a few at a time, and only their rows stay until they may be written. */
  async function foldBatch(batch: Batch, counting: boolean): Promise<UnwrittenRow[]> {
    context.foresee(batch.steps.map(({ event }) => event));
    if (batch.learners.length <= learnersInMemory) return foldGroup(batch, counting, true);
    const parts = groupsOf(batch, Math.min(groupSize, learnersInMemory));
    if (parts === null) return foldGroup(batch, counting, false);
    const rows: UnwrittenRow[][] = [];
    weightsBefore = await goThroughModels(context, parts.models);
    for (const group of parts.groups) rows.push(await foldGroup(group, counting, false));
    weightsBefore = newest;
    await context.advance(parts.after);
    return rows.flat();
  }

  async function foldGroup(group: Batch, counting: boolean, stay: boolean): Promise<UnwrittenRow[]> {
    await readLearners(group, counting, stay);
    await fold(group, counting);
    const entries = group.learners.flatMap(({ touched, entry }) => (touched && entry !== null ? entry : []));
    if (stay) for (const entry of entries) cache.set(entry.stream, entry);
    for (const learner of group.learners) learner.entry = null;
    const how = { model, makeParts };
    return stay ? madeWhenWritten(entries, how) : madeNow(entries, how);
  }

  /** Brings every learner of a batch to the revision before their first event in it. */
  async function readLearners({ learners }: Batch, counting: boolean, stay: boolean): Promise<void> {
    const missing: BatchLearner[] = [];
    for (const learner of learners) {
      learner.entry = cache.get(learner.stream) ?? null;
      if (learner.entry === null) missing.push(learner);
      else if (!stay) cache.delete(learner.stream);
    }
    const entries = await readEntries(readModels, namespace, missing, model);
    missing.forEach((learner, at) => {
      const entry = entries[at] ?? null;
      learner.entry = entry;
    });
    for (const learner of learners) {
      if (learner.entry?.state.revision !== learner.first.revision - 1) await align(learner, counting);
    }
  }

  /** A row that is behind, or ahead of the counters, as after a loss of either: the stream has the truth. */
  async function align(learner: BatchLearner, counting: boolean): Promise<void> {
    const { entry, first, stream } = learner;
    const toRevision = first.revision - 1;
    if (entry === null || (entry.state.revision > toRevision && !counting)) return;
    if (entry.state.revision > toRevision) entry.state = newLearnerState(model);
    const failure = await foldStream(deps, { stream, state: entry.state, toRevision, toPosition: first.position });
    if (failure !== null) park(learner, failure, counting ? first.position : deps.counters().checkpoint.position + 1);
    else if (entry.state.revision !== toRevision) throw new Error(`${stream} ends before revision ${toRevision}`);
  }

  async function fold({ steps, learners }: Batch, counting: boolean): Promise<void> {
    const turns = createTurns();
    const lastChange = steps.findLastIndex(({ learner }) => learner === null);
    for (let at = 0; at < steps.length; ) {
      const { event, learner } = steps[at] as Step;
      if (learner === null) {
        const changes: StoredEvent[] = [];
        for (; steps[at]?.learner === null; at += 1) changes.push((steps[at] as Step).event);
        await context.advance(changes);
      } else {
        foldStep(learner, event, counting);
        // A list depends on the log up to the learner's last event: what comes after it must not show.
        if (learner.lastStep === at && at < lastChange && learner.touched && learner.entry !== null)
          makeParts(learner.entry);
        at += 1;
      }
      // A step takes some microseconds, of which asking for the time would be one in fifty.
      if (at % stepsUnasked === 0 && turns.due()) await turns.take();
    }
    for (const learner of learners) if (learner.entry === null) learner.touched = false;
    await parking.settle();
  }

  function foldStep(learner: BatchLearner, event: StoredEvent, counting: boolean): void {
    const { entry } = learner;
    if (entry === null || event.revision <= entry.state.revision) return;
    learner.touched = true;
    entry.lists = null;
    entry.bytes = null;
    try {
      const transition = foldInteraction(entry.state, event, model, weightsBefore(event.position).weights, context);
      if (counting) deps.counters().count(transition);
    } catch (error) {
      park(learner, { event, error }, counting ? event.position : deps.counters().checkpoint.position + 1);
    }
  }

  function park(learner: BatchLearner, { event, error }: FoldFailure, countedBefore: number): void {
    learner.entry = null;
    cache.delete(learner.stream);
    const parked = parking.park(learner, event, error, countedBefore);
    deps.counters().park(parked);
  }

  /** While the state is in the processor's caches: of thousands of learners it is not any more when the row is written. */
  function makeParts(entry: LearnerEntry): void {
    const weights = weightsBefore(entry.state.position);
    makeLists(entry, { model, bankOf: context.bank, weights, size: listSize }, log);
    entry.bytes = encodeLearnerState(entry.state, model);
  }

  return {
    fold: foldBatch,
    forget: (stream) => cache.delete(stream),
    clear() {
      cache.clear();
      weightsBefore = newest;
    },
  };
}
