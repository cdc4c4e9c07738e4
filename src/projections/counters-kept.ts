import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Feed } from "../ports/feed.ts";
import type { ReadModels, Row } from "../ports/read-models.ts";
import { fits, readView } from "./live-view.ts";
import { firstEventId } from "./log-id.ts";
import { type NamedRow, packRows, unpackRows } from "./row-bytes.ts";
import { checkpointField, countersKey, decodeCheckpoint, rowFormat } from "./rows.ts";

/** Kind of blob. */
const kind = "counters";
/** Copies kept, the oldest go first: two months of one a day. */
const keptMax = 60;
const logRow = "log";

/** Counters of all partitions as they once stood, from which those of a later position are made. */
export interface KeptCounters {
  /** By partition; what each has counted says its own checkpoint. */
  readonly partitions: readonly Row[];
}

export interface KeptCountersDeps {
  readonly blobs: Blobs;
  readonly feed: Pick<Feed, "read">;
  readonly model: Pick<LearnerModel, "name">;
}

/** `<position>.<model>.f<row format>`, the position of the partition that is farthest, in order of text. */
const suffix = (model: { readonly name: string }): string => `.${model.name}.f${rowFormat}`;
const nameOf = (position: number, model: { readonly name: string }): string =>
  `${String(position).padStart(16, "0")}${suffix(model)}`;

/** Keeps these counters. Resolves with the position from which on they are of use. */
export async function keepCounters(
  { blobs, feed, model }: KeptCountersDeps,
  partitions: readonly Row[],
): Promise<number> {
  const position = Math.max(...partitions.map(positionOf));
  const rows: NamedRow[] = partitions.map(({ version, fields }, at) => ({
    name: countersKey("", at),
    version,
    fields,
  }));
  const log = { name: logRow, version: 1, fields: new Map([["first", Buffer.from((await firstEventId(feed)) ?? "")]]) };
  await blobs.put(kind, nameOf(position, model), await packRows([log, ...rows]));
  // In order of their writing: one made for a time long ago is not the first to go.
  const names = await blobs.names(kind);
  for (const name of names.slice(0, Math.max(0, names.length - keptMax))) await blobs.remove(kind, name);
  return position;
}

/** Keeps the live counters as they stand; null where there are none of this model yet. */
export async function keepLiveCounters(
  deps: KeptCountersDeps & { readonly readModels: ReadModels; readonly model: LearnerModel },
): Promise<number | null> {
  const { view } = await readView(deps.readModels);
  if (view === null || !fits(view, deps.model, view.partitions)) return null;
  const keys = Array.from({ length: view.partitions }, (_, at) => countersKey(view.namespace, at));
  const rows = await deps.readModels.read(keys);
  if (rows.some(({ version }) => version === 0)) return null;
  return keepCounters(deps, rows);
}

/** The last ones kept that hold nothing beyond a position; null where there are none, of this log and model. */
export async function countersKeptBefore(
  { blobs, feed, model }: KeptCountersDeps,
  position: number,
): Promise<KeptCounters | null> {
  const limit = nameOf(position, model);
  const names = (await blobs.names(kind)).filter((name) => name.endsWith(suffix(model)) && name <= limit).sort();
  for (const name of names.reverse()) {
    const bytes = await blobs.get(kind, name);
    const rows = bytes === null ? null : await unpackRows(bytes).catch(() => null);
    // Damaged, or of a log that was put back: those before will do.
    if (rows?.[0]?.fields.get("first")?.toString() !== (await firstEventId(feed))) continue;
    return { partitions: rows.slice(1) };
  }
  return null;
}

export function positionOf({ fields }: Row): number {
  const at = fields.get(checkpointField);
  return at === undefined ? 0 : decodeCheckpoint(at).position;
}
