import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { fromBytes, toBytes } from "./row-json.ts";
import {
  checkpointField,
  countersKey,
  decodeCheckpoint,
  decodeLiveView,
  encodeLiveView,
  generationOf,
  type LiveView,
  liveKey,
  namespaceOf,
  rowFormat,
  viewField,
} from "./rows.ts";

/** The rows that were live before: what a rollback goes back to. */
const keptField = "kept";
/** The highest generation that somebody began to build. */
const claimedField = "claimed";

/** The row `live`. */
export interface StoredView {
  readonly view: LiveView | null;
  readonly kept: LiveView | null;
  readonly claimed: number;
  /** Grows with each switch and each claim. */
  readonly version: number;
}

export const newView = (generation: number, model: LearnerModel, partitions: number): LiveView => ({
  namespace: namespaceOf(generation, model.name, partitions),
  partitions,
  model: model.name,
  format: rowFormat,
});

/** Whether this code, so configured, can go on with the rows of a view. */
export const fits = (view: LiveView, model: LearnerModel, partitions: number): boolean =>
  view.model === model.name && view.format === rowFormat && view.partitions === partitions;

export async function readView(readModels: ReadModels): Promise<StoredView> {
  const [row] = await readModels.read([liveKey], [viewField, keptField, claimedField]);
  const claimed = row?.fields.get(claimedField);
  return {
    view: decodeLiveView(row?.fields.get(viewField) ?? null),
    kept: decodeLiveView(row?.fields.get(keptField) ?? null),
    claimed: claimed === undefined ? 0 : (fromBytes(claimed) as number),
    version: row?.version ?? 0,
  };
}

/** How far a partition's projector is by its stored checkpoint; null where there is none. */
export async function storedPosition(readModels: ReadModels, partition: number): Promise<number | null> {
  const { view } = await readView(readModels);
  if (view === null) return null;
  const [row] = await readModels.read([countersKey(view.namespace, partition)], [checkpointField]);
  const checkpoint = row?.fields.get(checkpointField);
  return checkpoint === undefined ? null : decodeCheckpoint(checkpoint).position;
}

/**
 * Makes queries read these rows from now on, and remembers `kept` (what it was when left out). False where another
 * process switched, or began to build, since `version` was read.
 */
export async function switchView(
  readModels: ReadModels,
  view: LiveView,
  version: number,
  kept?: LiveView | null,
): Promise<boolean> {
  const set = new Map([[viewField, encodeLiveView(view)]]);
  if (kept != null) set.set(keptField, encodeLiveView(kept));
  const [outcome] = await readModels.write([{ key: liveKey, from: version, to: version + 1, set }]);
  return outcome?.status === "written";
}

/**
 * Puts the row `live` back after it was lost. False where there is one again. Its version is above what it was, so that
 * nobody can switch on the strength of what was read before.
 */
export async function putViewBack(
  readModels: ReadModels,
  { view, kept, claimed, version }: StoredView,
): Promise<boolean> {
  if (view === null) throw new Error("no view is known");
  const set = new Map([
    [viewField, encodeLiveView(view)],
    [claimedField, toBytes(claimed)],
  ]);
  if (kept !== null) set.set(keptField, encodeLiveView(kept));
  const [outcome] = await readModels.write([{ key: liveKey, from: 0, to: version + claimsMax, set }]);
  return outcome?.status === "written";
}

/** Above all there are rows of, also of rows that nobody knows any more. */
export async function unusedGeneration(readModels: ReadModels): Promise<number> {
  let highest = 0;
  for await (const page of readModels.keys("n")) {
    for (const key of page) if (/^n\d+\./.test(key)) highest = Math.max(highest, generationOf(key));
  }
  return highest + 1;
}

export interface Claim {
  readonly generation: number;
  /** What {@link switchView} needs: whoever claims later takes it away. */
  readonly version: number;
  readonly stored: StoredView;
}

const claimsMax = 20;

/** A generation for oneself alone; who claimed before cannot switch any more. */
export async function claimGeneration(readModels: ReadModels): Promise<Claim> {
  for (let attempt = 0; attempt < claimsMax; attempt += 1) {
    const stored = await readView(readModels);
    const inUse = [stored.view, stored.kept].map((view) => (view === null ? 0 : generationOf(view.namespace)));
    const generation = Math.max(stored.claimed, ...inUse) + 1;
    const version = stored.version + 1;
    const set = new Map([[claimedField, toBytes(generation)]]);
    const [outcome] = await readModels.write([{ key: liveKey, from: stored.version, to: version, set }]);
    if (outcome?.status === "written") return { generation, version, stored };
  }
  throw new Error(`others changed the live view ${claimsMax} times`);
}

/** Removes the rows of every namespace whose generation is named by `unwanted`. Returns how many rows went. */
export async function removeGenerations(
  readModels: ReadModels,
  unwanted: (generation: number) => boolean,
): Promise<number> {
  let removed = 0;
  for await (const page of readModels.keys("n")) {
    const keys = page.filter((key) => /^n\d+\./.test(key) && unwanted(generationOf(key)));
    await readModels.remove(keys);
    removed += keys.length;
  }
  return removed;
}
