import { randomUUID } from "node:crypto";
import { sessionTypes } from "../domain/events.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/clock.ts";
import type { Feed } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";
import type { GuardedWrite, ReadModels } from "../ports/read-models.ts";
import { fits, readView } from "../projections/live-view.ts";
import { firstEventId } from "../projections/log-id.ts";
import { partitionOf } from "../projections/partition.ts";
import { type NamedRow, packRows, unpackRows } from "../projections/row-bytes.ts";
import {
  type Checkpoint,
  checkpointField,
  countersKey,
  decodeCheckpoint,
  encodeCheckpoint,
  generationOf,
  type LiveView,
  learnerOfKey,
  learnerPrefix,
  namespaceOf,
  nextField,
} from "../projections/rows.ts";
import {
  latestSet,
  newSetName,
  publishSet,
  removeSets,
  type SnapshotPartition,
  type SnapshotSet,
  snapshotKind,
} from "./row-snapshot-set.ts";

export interface RowSnapshotDeps {
  readonly readModels: ReadModels;
  /** Beside the log: they outlive the read models. */
  readonly blobs: Blobs;
  readonly feed: Feed;
  readonly model: LearnerModel;
  readonly clock: Clock;
  readonly log: Log;
}

export type SavedSnapshot =
  | { readonly status: "saved"; readonly rows: number; readonly bytes: number; readonly position: number }
  /** There are no rows, or they are of another configuration, or nothing has come in since, or they moved away meanwhile. */
  | { readonly status: "nothing"; readonly why: string };

const partBytes = 4 * 1024 * 1024;
const chunkSize = 500;
/** No save takes so long: what is older than this and not published was left by one that failed. */
const leftoverMs = 6 * 3_600_000;

/**
 * Copies all live rows to the blobs, while they are written on, and publishes them as one set. It holds for each partition
 * that the learners' rows contain everything up to `learnersPosition` and nothing beyond `position`: the one is read
 * before the rows, the other, with the counters, after them. A pipeline goes on from such rows as after a crash.
 */
export async function saveRowSnapshot(deps: RowSnapshotDeps, signal?: AbortSignal): Promise<SavedSnapshot> {
  const { readModels, blobs, feed, clock } = deps;
  const { view } = await readView(readModels);
  if (view === null || !fits(view, deps.model, view.partitions)) return nothing("there are no live rows of this model");
  const first = await firstEventId(feed);
  const before = await checkpoints(readModels, view);
  if (first === null || before.includes(null)) return nothing("not every partition has begun");
  const last = await latestSet(blobs);
  if (last?.namespace === view.namespace && isUpToDate(last, before)) return nothing("nothing has come in since");
  const watch = watchLosses(readModels);
  try {
    const set = newSetName(clock.now(), randomUUID());
    const writer = createWriter(blobs, set, view.partitions);
    await copyLearners(readModels, view, writer, signal);
    const partitions = await finishPartitions(readModels, view, before, writer);
    if (partitions === null || watch.lost()) return nothing("rows were removed or lost meanwhile");
    const savedAt = clock.now();
    await publishSet(blobs, { set, savedAt, namespace: view.namespace, firstEventId: first, partitions });
    await removeSets(blobs, last === null ? savedAt - leftoverMs : Math.max(last.savedAt, savedAt - leftoverMs), set);
    const position = Math.min(...partitions.map(({ learnersPosition }) => learnersPosition));
    return { status: "saved", rows: writer.rows(), bytes: writer.bytes(), position };
  } finally {
    watch.stop();
  }
}

const nothing = (why: string): SavedSnapshot => ({ status: "nothing", why });

async function checkpoints(
  readModels: ReadModels,
  { namespace, partitions }: LiveView,
): Promise<(Checkpoint | null)[]> {
  const keys = Array.from({ length: partitions }, (_, partition) => countersKey(namespace, partition));
  return (await readModels.read(keys, [checkpointField])).map(({ fields }) => {
    const checkpoint = fields.get(checkpointField);
    return checkpoint === undefined ? null : decodeCheckpoint(checkpoint);
  });
}

const isUpToDate = ({ partitions }: SnapshotSet, now: readonly (Checkpoint | null)[]): boolean =>
  partitions.every(({ position }, at) => position === now[at]?.position);

function watchLosses(readModels: ReadModels): { lost(): boolean; stop(): void } {
  let lost = false;
  const stop = readModels.onLoss(() => {
    lost = true;
  });
  return { lost: () => lost, stop };
}

interface Writer {
  add(partition: number, row: NamedRow): Promise<void>;
  /** The names of a partition's parts, all written. */
  finish(partition: number): Promise<readonly string[]>;
  put(name: string, rows: readonly NamedRow[]): Promise<string>;
  rows(partition?: number): number;
  bytes(): number;
}

function createWriter(blobs: Blobs, set: string, partitions: number): Writer {
  const open = Array.from({ length: partitions }, () => ({
    rows: [] as NamedRow[],
    size: 0,
    count: 0,
    parts: [] as string[],
  }));
  let written = 0;

  async function put(name: string, rows: readonly NamedRow[]): Promise<string> {
    const bytes = await packRows(rows);
    await blobs.put(snapshotKind, `${set}/${name}`, bytes);
    written += bytes.length;
    return `${set}/${name}`;
  }

  const of = (partition: number) => {
    const one = open[partition];
    if (one === undefined) throw new RangeError(`there is no partition ${partition}`);
    return one;
  };

  async function flush(partition: number): Promise<void> {
    const one = of(partition);
    if (one.rows.length === 0) return;
    const rows = one.rows.splice(0);
    one.size = 0;
    one.parts.push(await put(`${partition}/${one.parts.length}`, rows));
  }

  return {
    async add(partition, row) {
      const one = of(partition);
      one.rows.push(row);
      one.count += 1;
      for (const value of row.fields.values()) one.size += value.length;
      if (one.size >= partBytes) await flush(partition);
    },
    async finish(partition) {
      await flush(partition);
      return of(partition).parts;
    },
    put,
    rows: (partition) =>
      partition === undefined ? open.reduce((sum, { count }) => sum + count, 0) : of(partition).count,
    bytes: () => written,
  };
}

async function copyLearners(
  readModels: ReadModels,
  { namespace, partitions }: LiveView,
  writer: Writer,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const page of readModels.keys(learnerPrefix(namespace))) {
    for (let from = 0; from < page.length; from += chunkSize) {
      signal?.throwIfAborted();
      const keys = page.slice(from, from + chunkSize);
      const rows = await readModels.read(keys);
      for (const [at, { version, fields }] of rows.entries()) {
        const key = keys[at] ?? "";
        const partition = partitionOf(learnerOfKey(key) ?? "", partitions);
        if (version > 0) await writer.add(partition, { name: key.slice(namespace.length), version, fields });
      }
    }
  }
}

/** null where the rows are not live any more, or were lost. */
async function finishPartitions(
  readModels: ReadModels,
  view: LiveView,
  before: readonly (Checkpoint | null)[],
  writer: Writer,
): Promise<SnapshotPartition[] | null> {
  const partitions: SnapshotPartition[] = [];
  for (const [partition, checkpoint] of before.entries()) {
    const parts = await writer.finish(partition);
    const [row] = await readModels.read([countersKey(view.namespace, partition)]);
    const at = row?.fields.get(checkpointField);
    if (row === undefined || at === undefined || checkpoint === null) return null;
    const { position } = decodeCheckpoint(at);
    if (position < checkpoint.position) return null;
    const { learnersPosition } = checkpoint;
    const fields = new Map(row.fields).set(checkpointField, encodeCheckpoint({ position, learnersPosition }));
    const name = countersKey("", partition);
    const counters = await writer.put(`${partition}/counters`, [{ name, version: row.version, fields }]);
    partitions.push({ position, learnersPosition, rows: writer.rows(partition), parts: [...parts], counters });
  }
  const { view: now } = await readView(readModels);
  return now?.namespace === view.namespace ? partitions : null;
}

/**
 * Puts the rows of one partition, as last saved, into a namespace that has no counters of it; the pipeline then folds on
 * from there. False, leaving the rows to come from the log, where there is no set, or it is of another log, model, row
 * format or number of partitions, or damaged. Harmless beside other writers: no row is set back.
 */
export async function restoreRowSnapshot(
  deps: Omit<RowSnapshotDeps, "clock">,
  namespace: string,
  partition: number,
): Promise<boolean> {
  const { readModels, blobs, feed, model, log } = deps;
  const set = await latestSet(blobs);
  const found = set?.partitions[partition];
  if (set == null || found === undefined) return false;
  const wanted = namespaceOf(generationOf(set.namespace), model.name, set.partitions.length);
  const asked = namespaceOf(generationOf(namespace), model.name, set.partitions.length);
  const known = { namespace, partition, set: set.set };
  if (set.namespace !== wanted || namespace !== asked) return refused(log, known, "it is of another configuration");
  if (set.firstEventId !== (await firstEventId(feed))) return refused(log, known, "it is of another log");
  if (found.position > (await feed.head())) return refused(log, known, "it is ahead of the log");
  let rows = 0;
  for (const name of [...found.parts, found.counters]) {
    const bytes = await blobs.get(snapshotKind, name);
    if (bytes === null && (await latestSet(blobs))?.set !== set.set) {
      return restoreRowSnapshot(deps, namespace, partition);
    }
    if (bytes === null) return refused(log, known, `${name} is not there`);
    const part = await unpackRows(bytes).catch(() => null);
    if (part === null) return refused(log, known, `${name} is damaged`);
    const counters = name === found.counters;
    for (let from = 0; from < part.length; from += chunkSize) {
      const chunk = part.slice(from, from + chunkSize);
      await readModels.write(chunk.map((row) => toWrite(namespace, row, counters ? 0 : "older")));
    }
    rows += part.length;
  }
  log.info({ ...known, rows, position: found.position }, "rows restored from their snapshot");
  return true;
}

function refused(log: Log, known: object, why: string): false {
  log.warn({ ...known, why }, "snapshot of rows not used; they come from the log");
  return false;
}

const nextFields = sessionTypes.map(nextField);

function toWrite(namespace: string, { name, version, fields }: NamedRow, from: GuardedWrite["from"]): GuardedWrite {
  const remove = from === 0 ? [] : nextFields.filter((field) => !fields.has(field));
  return { key: namespace + name, from, to: version, set: fields, remove };
}
