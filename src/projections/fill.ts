import { newLearnerState } from "../domain/learner/learner-state.ts";
import type { StoredEvent } from "../domain/stored-event.ts";
import { idOf } from "../domain/streams.ts";
import type { Feed } from "../ports/feed.ts";
import { type Batch, planBatch } from "./batch.ts";
import { createContext, projected } from "./context.ts";
import { type Counters, createCounters } from "./counters.ts";
import { foldInteraction } from "./learner-fold.ts";
import { heapBytesOf, learnerMemoryBytes } from "./learner-memory.ts";
import { type LearnerEntry, makeLists, newEntry, readEntries } from "./learner-rows.ts";
import { madeWhenWritten, writeLearners } from "./learner-writes.ts";
import { createParking } from "./parking.ts";
import type { PipelineDeps } from "./pipeline.ts";
import { createReadAhead } from "./read-ahead.ts";
import { countersKey, type LiveView } from "./rows.ts";
import { createTurns } from "./turns.ts";

export interface FillOptions {
  /** Rows of nobody else, and empty. */
  readonly view: LiveView;
  /** Events up to here are folded in. */
  readonly to: number;
  /** Items in a precomputed list. */
  readonly listSize: number;
  /** Decoded learner states kept in memory, of one range. */
  readonly learnersInMemory: number;
  /** And what they may take, bytes. */
  readonly heapBytes?: number;
  /** Events read at once. */
  readonly pageSize?: number;
  /** Told of each page: the position up to which all is folded, and how many events that are. */
  onProgress?(position: number, events: number): void;
  readonly signal?: AbortSignal;
}

/** A part of the learners: those whose hash modulo `ranges`, a multiple of the partitions, is `range`. */
export interface FillRange {
  readonly range: number;
  readonly ranges: number;
}

/** What the learners of a range add to the counters of their partition. */
export type RangeCounters = ReadonlyMap<string, Buffer>;

const defaultPageSize = 5_000;
/** Rows read, and lists made, at once at the end. */
const finishChunk = 500;

/**
 * Writes the rows of the learners of a range as a pipeline would leave them at position `to`, at a fraction of the work:
 * nobody reads them yet, so a learner's state stays in memory from page to page, and the lists are made once, at the
 * end, each with the catalogue and the weights of the learner's last event. Learners that do not fit into memory are
 * written without lists, and read again. Rejects, leaving rows that are worth nothing, when aborted.
 */
export async function fillRange(
  deps: PipelineDeps,
  { range, ranges }: FillRange,
  options: FillOptions,
): Promise<RangeCounters> {
  const { feed, readModels, model, clock, log } = deps;
  const { view, to, listSize, pageSize = defaultPageSize, signal } = options;
  const { namespace } = view;
  const context = createContext(deps);
  const counters = createCounters({ version: 0, fields: new Map() });
  const parking = createParking({ ...deps, context, readModels, clock, namespace, listSize, log });
  /** The longest untouched comes first. */
  const inMemory = new Map<string, LearnerEntry>();
  /** Those written without lists, with the position of their last event. */
  const putAside = new Map<string, number>();
  const contextEvents: StoredEvent[] = [];
  const turns = createTurns();

  async function readLearners({ learners }: Batch): Promise<void> {
    const missing = learners.filter(({ stream }) => putAside.has(stream));
    const read = await readEntries(readModels, namespace, missing, model);
    const back = new Map(read.map((entry) => [entry.stream, entry]));
    for (const learner of learners) {
      const { stream, learnerId } = learner;
      const entry = inMemory.get(stream) ?? back.get(stream) ?? newEntry(learnerId, stream, newLearnerState(model));
      learner.entry = entry;
      inMemory.delete(stream);
      inMemory.set(stream, entry);
      putAside.delete(stream);
    }
  }

  async function fold({ steps }: Batch): Promise<void> {
    for (const { event, learner } of steps) {
      if (turns.due()) await turns.take();
      if (learner === null) {
        contextEvents.push(event);
        await context.advance(event);
        continue;
      }
      const { entry } = learner;
      if (entry === null) continue;
      if (event.revision !== entry.state.revision + 1) {
        throw new Error(`${event.stream} goes on with revision ${event.revision} after ${entry.state.revision}`);
      }
      try {
        counters.count(foldInteraction(entry.state, event, model, context.current.weights, context));
      } catch (error) {
        learner.entry = null;
        inMemory.delete(event.stream);
        counters.park(parking.park(learner, event, error, event.position));
      }
    }
    await parking.settle();
    await parking.writeSettled();
  }

  async function write(entries: readonly LearnerEntry[], makeParts: (entry: LearnerEntry) => void): Promise<void> {
    const rows = madeWhenWritten(entries, { model, makeParts });
    await writeLearners({ readModels, namespace, forget: mustNotBeAhead }, rows);
  }

  async function putAsideOldest(): Promise<void> {
    const oldest = oldestBeyond(inMemory, options.learnersInMemory, options.heapBytes ?? learnerMemoryBytes.fill);
    if (oldest.length === 0) return;
    await write(oldest, (entry) => {
      entry.lists = new Map();
    });
    for (const { stream, state } of oldest) {
      inMemory.delete(stream);
      putAside.set(stream, state.position);
    }
  }

  /** In order of the learners' last events, so that catalogue and model are gone through once. */
  async function finish(): Promise<void> {
    const last = [...inMemory.values()].map(({ stream, state }): [string, number] => [stream, state.position]);
    const order = [...last, ...putAside].sort(([, a], [, b]) => a - b).map(([stream]) => stream);
    const past = createContext(deps);
    let next = 0;
    for (let from = 0; from < order.length; from += finishChunk) {
      signal?.throwIfAborted();
      const entries = await entriesOf(order.slice(from, from + finishChunk));
      for (const entry of entries) {
        const changes: StoredEvent[] = [];
        for (let event = contextEvents[next]; event !== undefined && event.position < entry.state.position; ) {
          changes.push(event);
          next += 1;
          event = contextEvents[next];
        }
        await past.advance(changes);
        makeLists(entry, { model, bankOf: past.bank, weights: past.current, size: listSize }, log);
        if (turns.due()) await turns.take();
      }
      await write(entries, () => undefined);
    }
  }

  async function entriesOf(streams: readonly string[]): Promise<LearnerEntry[]> {
    const away = streams
      .filter((stream) => putAside.has(stream))
      .map((stream) => ({ stream, learnerId: idOf(stream) }));
    const read = new Map((await readEntries(readModels, namespace, away, model)).map((entry) => [entry.stream, entry]));
    return streams.flatMap((stream) => inMemory.get(stream) ?? read.get(stream) ?? []);
  }

  let read = 0;
  for (let position = 0; position < to; ) {
    signal?.throwIfAborted();
    const page = await feed.read(position, pageSize, projected);
    if (page.position <= position) throw new Error(`the log ends at ${position}, before ${to}`);
    const events = page.position <= to ? page.events : page.events.filter((event) => event.position <= to);
    const batch = planBatch(events, range, ranges, counters.parked);
    await readLearners(batch);
    await fold(batch);
    await putAsideOldest();
    position = page.position;
    read += events.length;
    options.onProgress?.(Math.min(position, to), read);
  }
  await finish();
  return counters.write("", { position: to, learnersPosition: to }).set;
}

/** The first that have to go, so that the rest are not too many and not too large. */
function oldestBeyond(inMemory: ReadonlyMap<string, LearnerEntry>, most: number, heapBytes: number): LearnerEntry[] {
  let bytes = 0;
  for (const { state } of inMemory.values()) bytes += heapBytesOf(state);
  let left = inMemory.size;
  const oldest: LearnerEntry[] = [];
  for (const entry of inMemory.values()) {
    if (left <= most && bytes <= heapBytes) break;
    oldest.push(entry);
    left -= 1;
    bytes -= heapBytesOf(entry.state);
  }
  return oldest;
}

/** Writes what the ranges of a partition counted, as one: from then on a pipeline can go on with these rows. */
export async function writeRangeCounters(
  { readModels }: Pick<PipelineDeps, "readModels">,
  { view, to }: Pick<FillOptions, "view" | "to">,
  partition: number,
  ranges: readonly RangeCounters[],
): Promise<void> {
  const counters: Counters = createCounters({ version: 0, fields: new Map() });
  for (const fields of ranges) counters.add(fields);
  const write = counters.write(countersKey(view.namespace, partition), { position: to, learnersPosition: to });
  const [outcome] = await readModels.write([write]);
  if (outcome?.status !== "written") throw new Error(`somebody else writes to ${view.namespace}`);
}

/** Makes of the progress of many that of all. */
export function createSlowest(
  count: number,
  { onProgress }: Pick<FillOptions, "onProgress">,
): (one: number) => NonNullable<FillOptions["onProgress"]> {
  const all = Array.from({ length: count }, () => ({ position: 0, events: 0 }));
  return (one) => (position, events) => {
    all[one] = { position, events };
    const slowest = all.reduce((a, b) => (b.position < a.position ? b : a));
    onProgress?.(slowest.position, slowest.events);
  };
}

/** Fills all partitions in this thread. Nothing is written any more once it has rejected. */
export async function fillRows(deps: PipelineDeps, options: FillOptions): Promise<void> {
  const { partitions } = options.view;
  const feed: Feed = createReadAhead(deps.feed);
  const slowest = createSlowest(partitions, options);
  const learnersInMemory = Math.ceil(options.learnersInMemory / partitions);
  const heapBytes = (options.heapBytes ?? learnerMemoryBytes.fill) / partitions;
  const failed = new AbortController();
  const signal = options.signal === undefined ? failed.signal : AbortSignal.any([options.signal, failed.signal]);
  const one = async (partition: number): Promise<void> => {
    const own = { ...options, learnersInMemory, heapBytes, onProgress: slowest(partition), signal };
    const counted = await fillRange({ ...deps, feed }, { range: partition, ranges: partitions }, own);
    await writeRangeCounters(deps, options, partition, [counted]);
  };
  const oneChecked = (_: unknown, partition: number): Promise<void> =>
    one(partition).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
  const ends = await Promise.allSettled(Array.from({ length: partitions }, oneChecked));
  if (ends.some(({ status }) => status === "rejected")) throw failed.signal.reason;
}

function mustNotBeAhead({ stream }: { readonly stream: string }): never {
  throw new Error(`somebody else has written the row of ${stream}`);
}
