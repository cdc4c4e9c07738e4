import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import type { ReadModels } from "../ports/read-models.ts";
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

export const newView = (generation: number, model: LearnerModel, partitions: number): LiveView => ({
  namespace: namespaceOf(generation, model.name, partitions),
  partitions,
  model: model.name,
  format: rowFormat,
});

/** Whether this code, so configured, can go on with the rows of a view. */
export const fits = (view: LiveView, model: LearnerModel, partitions: number): boolean =>
  view.model === model.name && view.format === rowFormat && view.partitions === partitions;

/** The stored view and the version of its row. */
export async function readView(readModels: ReadModels): Promise<{ view: LiveView | null; version: number }> {
  const [row] = await readModels.read([liveKey], [viewField]);
  return { view: decodeLiveView(row?.fields.get(viewField) ?? null), version: row?.version ?? 0 };
}

/** How far a partition's projector is by its stored checkpoint; null where there is none. */
export async function storedPosition(readModels: ReadModels, partition: number): Promise<number | null> {
  const { view } = await readView(readModels);
  if (view === null) return null;
  const [row] = await readModels.read([countersKey(view.namespace, partition)], [checkpointField]);
  const checkpoint = row?.fields.get(checkpointField);
  return checkpoint === undefined ? null : decodeCheckpoint(checkpoint).position;
}

/** Makes queries read these rows from now on. False where another process switched since `version` was read. */
export async function switchView(readModels: ReadModels, view: LiveView, version: number): Promise<boolean> {
  const set = new Map([[viewField, encodeLiveView(view)]]);
  const [outcome] = await readModels.write([{ key: liveKey, from: version, to: version + 1, set }]);
  return outcome?.status === "written";
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
