import type { SessionType } from "../domain/events.ts";
import type { LearnerState } from "../domain/learner/learner-state.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { type ItemStats, mergeItemStats } from "./item-stats.ts";
import { decodeLearnerState } from "./learner-scores.ts";
import { decodeNext, type NextList } from "./next-items.ts";
import type { PopularWindow } from "./popular-items.ts";
import { fromBytes, toBytes } from "./row-json.ts";

// biome-ignore lint/performance/noBarrelFile: one place where writers and queries meet
export { type ItemStats, mergeItemStats } from "./item-stats.ts";
export { decodeLearnerState } from "./learner-scores.ts";
export { decodeNext, type NextList } from "./next-items.ts";
export { type PopularWindow, popularCount, popularWindows } from "./popular-items.ts";

/**
 * The rows of the read models: their keys, their fields, and how each is written and read. Writers and queries meet here.
 *
 * | row | version | fields |
 * |---|---|---|
 * | `live` | switches so far | `view`: which namespace queries read |
 * | `<ns>:learner:<learner>` | stream revision | `state`, `next`, `next:<sessionType>` |
 * | `<ns>:counters:<partition>` | {@link checkpointVersion} | `at`, `p:<item>`, `s:<item>`, `parked:<stream>`, `parked`: which of these there are |
 * | `<ns>:popular:<scope>:<window>` | the same, of partition 0 | `top` |
 * | `hot` | milliseconds since 1970 | `asked`: what queries are asked for most, see queries/hot-rows.ts |
 * | `retries` | changes so far | `<learner>`: since when operators ask that a parked learner be tried again |
 * | `rebuild` | changes so far | `report`: of the rebuild that is asked for, runs, or was the last |
 */
export const liveKey = "live";
export const hotKey = "hot";
export const askedField = "asked";
/** See workers/operator-rows.ts. */
export const retriesKey = "retries";
export const rebuildKey = "rebuild";
export const viewField = "view";
export const stateField = "state";
export const checkpointField = "at";
export const topField = "top";

export const learnerPrefix = (namespace: string): string => `${namespace}:learner:`;
export const learnerKey = (namespace: string, learnerId: string): string => `${namespace}:learner:${learnerId}`;
/** The learner of such a key; null for the key of another row. */
export const learnerOfKey = (key: string): string | null => afterPrefix(key, ":learner:");
export const countersKey = (namespace: string, partition: number): string => `${namespace}:counters:${partition}`;
export const countersPrefix = (namespace: string): string => `${namespace}:counters:`;
export const popularPrefix = (namespace: string): string => `${namespace}:popular:`;
export const popularKey = (namespace: string, scope: PopularScope, window: PopularWindow): string =>
  `${popularPrefix(namespace)}${scope}:${window}`;
/** Scope and window of such a key, as they stand there; null for the key of another row. */
export const popularNameOf = (key: string): string | null => afterPrefix(key, ":popular:");

/** Namespaces hold no colon. */
function afterPrefix(key: string, prefix: string): string | null {
  const at = key.indexOf(":");
  return key.startsWith(prefix, at) ? key.slice(at + prefix.length) : null;
}

/** Items in a full precomputed list. */
export const nextListSize = 30;

/** Practice is the default and always there; the others only while the learner is in such a session. */
export const nextField = (sessionType: SessionType): string =>
  sessionType === "practice" ? "next" : `next:${sessionType}`;
export const popularField = (itemId: string): string => `p:${itemId}`;
export const statsField = (itemId: string): string => `s:${itemId}`;
export const parkedField = (stream: string): string => `parked:${stream}`;
/** The streams that are parked, sorted; absent where none is. So whoever looks for them need not read all that is counted. */
export const parkedStreamsField = "parked";

export type PopularScope = "all" | `track:${string}` | `skill:${string}`;

/**
 * Grows by one when a row can no longer be read by older code, or older rows by this code, or the same log gives other
 * rows: 2 made lists of the track a learner is in, 3 writes bytes instead of JSON, 4 has sessions, rules, and the arm of an
 * experiment in each list, 5 weighs answers for mastery by hints, difficulty and guessing, 6 writes columns, 7 has the
 * success that the model expects of a skill. Part of a namespace's name.
 */
export const rowFormat = 7;

/** Which rows queries read, written by the switch at the end of a rebuild. */
export interface LiveView {
  readonly namespace: string;
  /** Number of partitions that count side by side. */
  readonly partitions: number;
  readonly model: string;
  readonly format: number;
}

/** `n3.lr-full.f4.p4`: generation, model, row format and partitions, so that rows that do not belong together never meet. */
export const namespaceOf = (generation: number, model: string, partitions: number): string =>
  `n${generation}.${model}.f${rowFormat}.p${partitions}`;
export const generationOf = (namespace: string): number => Number(/^n(\d+)\./.exec(namespace)?.[1] ?? 0);

export const encodeLiveView = (view: LiveView): Buffer => toBytes(view);
export const decodeLiveView = (bytes: Buffer | null): LiveView | null =>
  bytes === null ? null : (fromBytes(bytes) as LiveView);

/**
 * A counters row's version: its position in the log, and how often it was written at that position (operators retry
 * parked learners while nothing new comes in). Every write raises it, so two owners can never both win.
 */
export const checkpointVersion = (position: number, rewrites = 0): number => position * rewritesMax + rewrites;
export const positionOfVersion = (version: number): number => Math.floor(version / rewritesMax);
export const rewritesMax = 1024;

export interface Checkpoint {
  /** All counters hold the events up to here. */
  readonly position: number;
  /** All learner rows hold the events up to here; those after it may not be written yet. */
  readonly learnersPosition: number;
}
export const encodeCheckpoint = (checkpoint: Checkpoint): Buffer => toBytes(checkpoint);
export const decodeCheckpoint = (bytes: Buffer): Checkpoint => fromBytes(bytes) as Checkpoint;

/** A stream that could not be folded. Its later events wait; all other streams flow. */
export interface Parked {
  readonly stream: string;
  /** Of the first event that is not folded in. */
  readonly revision: number;
  /** Counters hold this stream's events before this position only. */
  readonly position: number;
  readonly error: string;
  /** When it was parked first, ISO 8601. */
  readonly at: string;
  /** Failed attempts so far. */
  readonly attempts: number;
}
export const encodeParked = (parked: Parked): Buffer => toBytes(parked);
export const decodeParked = (bytes: Buffer): Parked => fromBytes(bytes) as Parked;
export const encodeParkedStreams = (streams: Iterable<string>): Buffer => toBytes([...streams].sort());
export const decodeParkedStreams = (bytes: Buffer): string[] => fromBytes(bytes) as string[];

/** What was asked for most of late, the last first; of whatever namespace. */
export interface Asked {
  readonly learners: readonly string[];
  /** As in {@link popularNameOf}. */
  readonly popular: readonly string[];
}
export const encodeAsked = (asked: Asked): Buffer => toBytes(asked);
export const decodeAsked = (bytes: Buffer): Asked => fromBytes(bytes) as Asked;

/** One line of a popular list, best first. */
export interface PopularItem {
  readonly itemId: string;
  /** log2 of the decayed count of learners, moved to a common time: it ranks, and never changes as time goes by. */
  readonly rank: number;
  /** Learners who ever did it. */
  readonly learners: number;
}
export interface PopularList {
  /** Of the log, of the slowest partition. */
  readonly position: number;
  readonly items: readonly PopularItem[];
}
export const encodePopular = (list: PopularList): Buffer =>
  toBytes([list.position, list.items.map(({ itemId, rank, learners }) => [itemId, rank, learners])]);
export function decodePopular(bytes: Buffer): PopularList {
  const [position, rows] = fromBytes(bytes) as [number, [string, number, number][]];
  return { position, items: rows.map(([itemId, rank, learners]) => ({ itemId, rank, learners })) };
}

/** Which namespace to read; null before a projector ran. One round trip: keep the answer for a second or so. */
export async function readLiveView(readModels: ReadModels): Promise<LiveView | null> {
  return decodeLiveView(await readModels.get(liveKey, viewField));
}

/** The precomputed list of a learner for a session type; null where there is none. One round trip. */
export async function readNext(
  readModels: ReadModels,
  view: LiveView,
  learnerId: string,
  sessionType: SessionType = "practice",
): Promise<NextList | null> {
  const bytes = await readModels.get(learnerKey(view.namespace, learnerId), nextField(sessionType));
  return bytes === null ? null : decodeNext(bytes);
}

/** null for a learner without events, or one whose state another model wrote. One round trip. */
export async function readLearnerState(
  readModels: ReadModels,
  view: LiveView,
  learnerId: string,
  model: LearnerModel,
): Promise<LearnerState | null> {
  const bytes = await readModels.get(learnerKey(view.namespace, learnerId), stateField);
  return bytes === null ? null : decodeLearnerState(bytes, model);
}

/** The 100 most popular items of a scope; null where nothing was counted in it yet. One round trip. */
export async function readPopular(
  readModels: ReadModels,
  view: LiveView,
  scope: PopularScope,
  window: PopularWindow,
): Promise<PopularList | null> {
  const bytes = await readModels.get(popularKey(view.namespace, scope, window), topField);
  return bytes === null ? null : decodePopular(bytes);
}

/** What all partitions counted for an item; zeros and nulls for an item nobody answered. One round trip. */
export async function readItemStats(readModels: ReadModels, view: LiveView, itemId: string): Promise<ItemStats> {
  const keys = Array.from({ length: view.partitions }, (_, partition) => countersKey(view.namespace, partition));
  return mergeItemStats(await readModels.getMany(keys, statsField(itemId)));
}
