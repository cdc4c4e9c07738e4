import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import type { StoredEvent } from "../domain/stored-event.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/clock.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Feed, FeedPage } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";
import type { ReadModels, Row } from "../ports/read-models.ts";
import { between, cutAtCatalogue, planBatch, type Step } from "./batch.ts";
import { createBatchFold } from "./batch-fold.ts";
import { createContext } from "./context.ts";
import { type Counters, createCounters } from "./counters.ts";
import { writeLearners } from "./learner-writes.ts";
import { createParking, type Parking } from "./parking.ts";
import { createPopularTick } from "./popular-tick.ts";
import { createRepairs, type Expected } from "./repair.ts";
import { type Checkpoint, countersKey, type Parked } from "./rows.ts";
import type { BatchWatch } from "./watched-handle.ts";

/** Told of the events whose effect a query can see now, for the first time; of a partition, in log order. */
export type OnVisible = (partition: number, steps: readonly Step[]) => void;

export interface PipelineDeps extends BatchWatch {
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
  /** Left out where nobody reads these rows yet. */
  readonly onVisible?: OnVisible | undefined;
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
/** A partition that is passed over writes where it is so often. Milliseconds. */
const idleCheckpointMs = 1_000;

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
  const key = countersKey(namespace, partition);
  let counters: Counters = createCounters({ version: 0, fields: new Map() });
  /** Of the loop: everything up to here was handled. */
  let position = 0;
  /** Everything up to here is in the learners' rows. */
  let learnersPosition = 0;
  /** Rows that begin empty may have been there before and were lost: what stood in the log then is no news. */
  let newsAfter = 0;
  /** When the counters were written last, by the clock. */
  let writtenAt = clock.now();
  const tick = createPopularTick(readModels, clock, options);
  const parking = createParking({ ...foldDeps, readModels, clock, namespace, listSize, log });
  const learners = createBatchFold({ ...deps, context, parking, counters: () => counters }, options);
  const { forget } = learners;
  const repairs = createRepairs({ ...foldDeps, readModels, clock, log, namespace, listSize, forget });

  async function readCounters(): Promise<Row> {
    const [row] = await readModels.read([key]);
    return row ?? { version: 0, fields: new Map() };
  }

  async function load(): Promise<number> {
    learners.clear();
    tick.forget();
    parking.forget();
    const stored = await readCounters();
    if (stored.version === 0) {
      newsAfter = await deps.feed.head();
      await deps.restore?.(namespace, partition);
    }
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
    const parts = events.length > options.learnersInMemory ? cutAtCatalogue(events) : [events];
    for (const [at, part] of parts.entries()) {
      await apply(part, at === parts.length - 1 ? end : (part.at(-1)?.position ?? end), counting);
    }
  }

  async function apply(events: readonly StoredEvent[], end: number, counting: boolean): Promise<void> {
    const batch = planBatch(events, partition, partitions, counters.parked);
    const rows = await learners.fold(batch, counting);
    const due = rows.length > 0 || counters.changed || end - counters.checkpoint.position >= positionsPerCheckpoint;
    if (due && (counting || counters.changed)) {
      await writeCounters({ position: Math.max(end, counters.checkpoint.position), learnersPosition });
    }
    await writeLearners({ readModels, namespace, forget: ({ stream }) => forget(stream), wrote: repairs.wrote }, rows);
    if (counting) deps.onVisible?.(partition, newsOf(batch.steps));
    await parking.writeSettled();
    learnersPosition = end;
    position = end;
  }

  function newsOf(steps: readonly Step[]): readonly Step[] {
    const [first] = steps;
    return first === undefined || first.event.position > newsAfter
      ? steps
      : steps.filter(({ event }) => event.position > newsAfter);
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
    writtenAt = clock.now();
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
    const writeHere = (): Promise<void> => writeCounters({ position, learnersPosition });
    await parking.answerRetries(counters, position, writeHere);
    // Where nothing concerned this partition for a while, the log has gone on all the same: whoever looks should see it.
    // A clock that is set back must not stop that.
    const idle = position > counters.checkpoint.position && Math.abs(clock.now() - writtenAt) >= idleCheckpointMs;
    if (idle || counters.changed) await writeHere();
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
