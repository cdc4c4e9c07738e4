import { LRUCache } from "lru-cache";
import { newLearnerState } from "../domain/learner/learner-state.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import type { StoredEvent } from "../domain/stored-event.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/clock.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Feed, FeedPage } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";
import type { ReadModels, Row } from "../ports/read-models.ts";
import { type Batch, type BatchLearner, cutAtContext, groupsOf, planBatch } from "./batch.ts";
import { createContext } from "./context.ts";
import { type Counters, createCounters } from "./counters.ts";
import { type FoldFailure, foldInteraction, foldStream } from "./learner-fold.ts";
import { type LearnerEntry, type ReadyRow, readEntries, selectLists } from "./learner-rows.ts";
import { makeReady, writeLearners } from "./learner-writes.ts";
import { createParking, type Parking } from "./parking.ts";
import { createPopularTick } from "./popular-tick.ts";
import { createRepairs, type Expected } from "./repair.ts";
import { type Checkpoint, countersKey, type Parked } from "./rows.ts";
import { createTurns, type Turns } from "./turns.ts";

export interface PipelineDeps {
  readonly feed: Feed;
  readonly store: EventStore;
  readonly blobs: Blobs;
  readonly readModels: ReadModels;
  readonly model: LearnerModel;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Called where a partition has no counters yet: may put rows and counters of a snapshot there. Left out where the rows
   * are to come from the log alone.
   */
  readonly restore?: (namespace: string, partition: number) => Promise<unknown>;
}

export interface PipelineOptions {
  readonly namespace: string;
  readonly partition: number;
  readonly partitions: number;
  /** Items in a precomputed list. */
  readonly listSize: number;
  /** Decoded learner states kept in memory. */
  readonly learnersInMemory: number;
  /** Shortest time between two writes of the popular lists, milliseconds. */
  readonly popularTickMs: number;
}

/** Another owner of the partition has written: what is in memory is worth nothing. The loop loads again and goes on. */
export class PartitionLost extends Error {
  override readonly name = "PartitionLost";
}

/** One partition's pipeline, to be run by the one loop. */
export interface Pipeline {
  load(): Promise<number>;
  handle(page: FeedPage, signal?: AbortSignal): Promise<number>;
  between(): Promise<void>;
  readonly parked: ReadonlyMap<string, Parked>;
  /** Runs between two batches: the caller nudges the loop. */
  readonly retry: Parking["retry"];
  /** The engine may have lost some of the newest writes, or all: looked into between two batches, as above. */
  suspectRecent(): void;
  /** The same, of rows that must stand at these revisions. */
  suspect(learners: readonly Expected[]): void;
  /** How many of these are still to be looked at. */
  suspected(): number;
  /** Refuses retries that wait. */
  close(): void;
}

/** A checkpoint is written at the latest after so many positions that held nothing for this partition. */
const positionsPerCheckpoint = 10_000;
/** Learners folded at a time where they do not all fit into memory. */
const groupSize = 500;

/**
 * Folds the log into the rows of one partition: learner-scores, next-items, popular-items and item-stats, with one
 * checkpoint. Counters are written first, then learners, so that a learner's row is never ahead of the counters; after
 * a crash between the two, the learners since the checkpoint before are folded again, without counting. Both writes are
 * guarded, so that batches may be applied twice and two owners may race.
 */
export function createPipeline(deps: PipelineDeps, options: PipelineOptions): Pipeline {
  const { store, readModels, model, log, clock } = deps;
  const { namespace, partition, partitions, listSize } = options;
  const context = createContext(deps);
  const foldDeps = { store, model, context };
  const cache = new LRUCache<string, LearnerEntry>({ max: options.learnersInMemory });
  const key = countersKey(namespace, partition);
  let counters: Counters = createCounters({ version: 0, fields: new Map() });
  /** Of the loop: everything up to here was handled. */
  let position = 0;
  /** Everything up to here is in the learners' rows. */
  let learnersPosition = 0;
  const tick = createPopularTick(readModels, clock, options);
  const parking = createParking({ ...foldDeps, readModels, clock, namespace, listSize, log });
  const forget = (stream: string): unknown => cache.delete(stream);
  const repairs = createRepairs({ ...foldDeps, readModels, clock, log, namespace, listSize, forget });

  async function readCounters(): Promise<Row> {
    const [row] = await readModels.read([key]);
    return row ?? { version: 0, fields: new Map() };
  }

  async function load(): Promise<number> {
    cache.clear();
    tick.forget();
    parking.forget();
    const stored = await readCounters();
    if (stored.version === 0) await deps.restore?.(namespace, partition);
    counters = createCounters(stored.version === 0 ? await readCounters() : stored);
    learnersPosition = counters.checkpoint.learnersPosition;
    await context.moveTo(learnersPosition);
    position = learnersPosition;
    return position;
  }

  /** Events up to the checkpoint are counted already: of them only the learners' rows may be missing. */
  async function handle(page: FeedPage): Promise<number> {
    const counted = counters.checkpoint.position;
    if (position < counted) {
      await applyAll(between(page.events, position, counted), Math.min(page.position, counted), false);
    }
    if (position < page.position) await applyAll(between(page.events, position, page.position), page.position, true);
    return position;
  }

  async function applyAll(events: readonly StoredEvent[], end: number, counting: boolean): Promise<void> {
    const parts = events.length > options.learnersInMemory ? cutAtContext(events) : [events];
    for (const [at, part] of parts.entries()) {
      await apply(part, at === parts.length - 1 ? end : (part.at(-1)?.position ?? end), counting);
    }
  }

  async function apply(events: readonly StoredEvent[], end: number, counting: boolean): Promise<void> {
    const batch = planBatch(events, partition, partitions, counters.parked);
    const rows = await foldBatch(batch, counting);
    const due = rows.length > 0 || counters.changed || end - counters.checkpoint.position >= positionsPerCheckpoint;
    if (due && (counting || counters.changed)) {
      await writeCounters({ position: Math.max(end, counters.checkpoint.position), learnersPosition });
    }
    await writeLearners({ readModels, namespace, forget: ({ stream }) => forget(stream) }, rows);
    await parking.writeSettled();
    repairs.wrote(rows);
    learnersPosition = end;
    position = end;
  }

  /** Learners that do not fit into memory are folded a few at a time, and only their rows stay until they may be written. */
  async function foldBatch(batch: Batch, counting: boolean): Promise<ReadyRow[]> {
    const stay = batch.learners.length <= options.learnersInMemory;
    const rows: ReadyRow[][] = [];
    for (const group of stay ? [batch] : groupsOf(batch, Math.min(groupSize, options.learnersInMemory))) {
      await readLearners(group, counting, stay);
      await fold(group, counting);
      const entries = group.learners.flatMap(({ touched, entry }) => (touched && entry !== null ? entry : []));
      rows.push(await makeReady(entries, { model, makeLists: lists, stay }));
      for (const learner of group.learners) learner.entry = null;
    }
    return rows.flat();
  }

  /** Brings every learner of a batch to the revision before their first event in it. */
  async function readLearners({ learners }: Batch, counting: boolean, stay: boolean): Promise<void> {
    const missing: BatchLearner[] = [];
    for (const learner of learners) {
      learner.entry = cache.get(learner.stream) ?? null;
      if (learner.entry === null) missing.push(learner);
      else if (!stay) forget(learner.stream);
    }
    const entries = await readEntries(readModels, namespace, missing, model);
    missing.forEach((learner, at) => {
      const entry = entries[at] ?? null;
      learner.entry = entry;
      if (entry !== null && stay) cache.set(learner.stream, entry);
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
    const failure = await foldStream(foldDeps, { stream, state: entry.state, toRevision, toPosition: first.position });
    if (failure !== null) park(learner, failure, counting ? first.position : counters.checkpoint.position + 1);
    else if (entry.state.revision !== toRevision) throw new Error(`${stream} ends before revision ${toRevision}`);
  }

  async function fold({ steps, learners }: Batch, counting: boolean): Promise<void> {
    const turns = createTurns();
    let from = 0;
    let at = -1;
    for (const { event, learner } of steps) {
      at += 1;
      if (learner === null) {
        await listsBefore(
          at,
          steps.slice(from, at).flatMap((step) => step.learner ?? []),
          turns,
        );
        from = at + 1;
        await context.advance(event);
      } else {
        foldStep(learner, event, counting);
      }
      if (turns.due()) await turns.take();
    }
    for (const learner of learners) if (learner.entry === null) learner.touched = false;
    await parking.settle();
  }

  function foldStep(learner: BatchLearner, event: StoredEvent, counting: boolean): void {
    const { entry } = learner;
    if (entry === null || event.revision <= entry.state.revision) return;
    learner.touched = true;
    entry.lists = null;
    try {
      const transition = foldInteraction(entry.state, event, model, context.current.weights, context);
      if (counting) counters.count(transition);
    } catch (error) {
      park(learner, { event, error }, counting ? event.position : counters.checkpoint.position + 1);
    }
  }

  function park(learner: BatchLearner, { event, error }: FoldFailure, countedBefore: number): void {
    learner.entry = null;
    cache.delete(learner.stream);
    const parked = parking.park(learner, event, error, countedBefore);
    counters.park(parked);
  }

  /** A list depends on the log up to the learner's last event: what comes after it must not show. */
  async function listsBefore(step: number, learners: readonly BatchLearner[], turns: Turns): Promise<void> {
    for (const { entry, lastStep, touched } of learners) {
      if (entry !== null && touched && lastStep < step && entry.lists === null) lists(entry);
      if (turns.due()) await turns.take();
    }
  }

  /** Without a list the query selects on demand; the learner's next event tries again. */
  function lists(entry: LearnerEntry): void {
    try {
      entry.lists = selectLists(entry, { model, bankOf: context.bank, weights: context.current, size: listSize });
    } catch (err) {
      log.error({ err, stream: entry.stream, revision: entry.state.revision }, "no list could be selected");
      entry.lists = new Map();
    }
  }

  async function writeCounters(checkpoint: Checkpoint): Promise<void> {
    const write = counters.write(key, checkpoint);
    const [outcome] = await readModels.write([write]);
    if (outcome?.status !== "written") {
      throw new PartitionLost(
        `partition ${partition} of ${namespace} stands at version ${outcome?.version}, not ${write.from}`,
      );
    }
    counters.stored(write, checkpoint);
  }

  /** Counters that went back are loaded, and what they lack is counted again. */
  async function checkCounters(): Promise<void> {
    const [row] = await readModels.read([key], []);
    if (row?.version === counters.version) return;
    throw new PartitionLost(`partition ${partition} of ${namespace} stands at version ${row?.version} now`);
  }

  async function betweenBatches(): Promise<void> {
    if (repairs.recentSuspected) await checkCounters();
    await repairs.run(position, counters.parked);
    if (position < counters.checkpoint.position) return;
    await parking.answerRetries(counters, position, () => writeCounters({ position, learnersPosition }));
    if (partition === 0) await tick.run(counters, position, context);
  }

  return {
    load,
    handle,
    between: betweenBatches,
    get parked() {
      return counters.parked;
    },
    retry: parking.retry,
    suspectRecent: repairs.suspectRecent,
    suspect: repairs.suspect,
    suspected: repairs.suspected,
    close: parking.close,
  };
}

/** The events after `after` up to `to`: what was handled before is not handled again. */
function between(events: readonly StoredEvent[], after: number, to: number): readonly StoredEvent[] {
  const inside = (event: StoredEvent): boolean => event.position > after && event.position <= to;
  return events.every(inside) ? events : events.filter(inside);
}
