import type { SessionType } from "../domain/events.ts";
import type { Reason, SelectedItem } from "../domain/item-selection/selection.ts";

/**
 * The rows of the read models: their keys, their fields, and how each is written and read. Writers and queries meet here.
 *
 * | row | version | fields |
 * |---|---|---|
 * | `live` | switches so far | `view`: which namespace queries read |
 * | `<ns>:learner:<learner>` | stream revision | `state`, `next`, `next:<sessionType>` |
 * | `<ns>:counters:<partition>` | {@link checkpointVersion} | `at`, `p:<item>`, `s:<item>`, `parked:<stream>` |
 * | `<ns>:popular:<scope>:<window>` | the same, of partition 0 | `top` |
 */
export const liveKey = "live";
export const viewField = "view";
export const stateField = "state";
export const checkpointField = "at";
export const topField = "top";

export const learnerPrefix = (namespace: string): string => `${namespace}:learner:`;
export const learnerKey = (namespace: string, learnerId: string): string => `${namespace}:learner:${learnerId}`;
export const countersKey = (namespace: string, partition: number): string => `${namespace}:counters:${partition}`;
export const popularPrefix = (namespace: string): string => `${namespace}:popular:`;
export const popularKey = (namespace: string, scope: PopularScope, window: PopularWindow): string =>
  `${namespace}:popular:${scope}:${window}`;

/** Practice is the default and always there; the others only while the learner is in such a session. */
export const nextField = (sessionType: SessionType): string =>
  sessionType === "practice" ? "next" : `next:${sessionType}`;
export const popularField = (itemId: string): string => `p:${itemId}`;
export const statsField = (itemId: string): string => `s:${itemId}`;
export const parkedField = (stream: string): string => `parked:${stream}`;

export type PopularScope = "all" | `track:${string}` | `skill:${string}`;
export const popularWindows = ["hour", "day", "week", "all"] as const;
export type PopularWindow = (typeof popularWindows)[number];

/** Grows by one when a row can no longer be read by older code, or older rows by this code. Part of a namespace's name. */
export const rowFormat = 1;

/** Which rows queries read, written by the switch at the end of a rebuild. */
export interface LiveView {
  readonly namespace: string;
  /** Number of partitions that count side by side. */
  readonly partitions: number;
  readonly model: string;
  readonly format: number;
}

/** `n3.lr-lite.f1.p4`: generation, model, row format and partitions, so that rows that do not belong together never meet. */
export const namespaceOf = (generation: number, model: string, partitions: number): string =>
  `n${generation}.${model}.f${rowFormat}.p${partitions}`;
export const generationOf = (namespace: string): number => Number(/^n(\d+)\./.exec(namespace)?.[1] ?? 0);

export const encodeLiveView = (view: LiveView): Buffer => json(view);
export const decodeLiveView = (bytes: Buffer | null): LiveView | null =>
  bytes === null ? null : (parse(bytes) as LiveView);

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
export const encodeCheckpoint = (checkpoint: Checkpoint): Buffer => json(checkpoint);
export const decodeCheckpoint = (bytes: Buffer): Checkpoint => parse(bytes) as Checkpoint;

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
export const encodeParked = (parked: Parked): Buffer => json(parked);
export const decodeParked = (bytes: Buffer): Parked => parse(bytes) as Parked;

/** A learner's precomputed list: ids and numbers only; titles and words are put in when it is read. */
export interface NextList {
  /** Of the learner's stream: the last event this list knows. */
  readonly revision: number;
  /** Of the log: the same event. */
  readonly position: number;
  /** When that event was recorded, milliseconds since 1970: the list's `now`. */
  readonly at: number;
  readonly sessionType: SessionType;
  /** null: all items, the default policy. */
  readonly trackId: string | null;
  readonly policyVersion: string;
  readonly model: string;
  readonly modelVersion: number;
  /** Milliseconds since 1970 until which time alone does not change the list; null for always. */
  readonly holdsUntil: number | null;
  readonly items: readonly SelectedItem[];
}

/** Probabilities are kept to 1/10,000: a list is read far more often than it is written. */
const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

export function encodeNext(list: NextList): Buffer {
  const items = list.items.map((item) => [
    item.itemId,
    rounded(item.p),
    rounded(item.score),
    // A rare draw must not become impossible: analysts divide by it.
    Number(item.propensity.toPrecision(4)),
    reasonToJson(item.reason),
  ]);
  const { revision, position, at, sessionType, trackId, policyVersion, model, modelVersion, holdsUntil } = list;
  return json([revision, position, at, sessionType, trackId, policyVersion, model, modelVersion, holdsUntil, items]);
}

type NextJson = [number, number, number, SessionType, string | null, string, string, number, number | null, ItemJson[]];
type ItemJson = [string, number, number, number, ReasonJson];

export function decodeNext(bytes: Buffer): NextList {
  const [revision, position, at, sessionType, trackId, policyVersion, model, modelVersion, holdsUntil, rows] = parse(
    bytes,
  ) as NextJson;
  const items = rows.map(([itemId, p, score, propensity, reason]) => ({
    itemId,
    p,
    score,
    propensity,
    reason: reasonFromJson(reason),
  }));
  return { revision, position, at, sessionType, trackId, policyVersion, model, modelVersion, holdsUntil, items };
}

/** The facts of each reason, in the order in which they are stored after its code. Add at the end, never reorder. */
const reasonFacts: Readonly<Record<Reason["code"], readonly string[]>> = {
  pinned: [],
  due_review: ["skillId", "dueAt"],
  upcoming_review: ["skillId", "dueAt"],
  open_skill: ["skillId", "mastery"],
  near_target: [],
  exploration: ["skillId"],
  maintenance: ["skillId", "mastery"],
  most_informative: ["skillId"],
  topic_coverage: ["skillId"],
  popular: ["learners"],
};
type ReasonJson = readonly [Reason["code"], ...(string | number | null)[]];

function reasonToJson(reason: Reason): ReasonJson {
  const values = reason as Readonly<Record<string, string | number | null>>;
  const facts = reasonFacts[reason.code].map((name) => {
    const value = values[name] ?? null;
    return name === "mastery" && typeof value === "number" ? rounded(value) : value;
  });
  return [reason.code, ...facts];
}

function reasonFromJson([code, ...facts]: ReasonJson): Reason {
  const reason: Record<string, string | number | null> = { code };
  reasonFacts[code].forEach((name, at) => {
    reason[name] = facts[at] ?? null;
  });
  return reason as unknown as Reason;
}

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
  json([list.position, list.items.map(({ itemId, rank, learners }) => [itemId, rank, learners])]);
export function decodePopular(bytes: Buffer): PopularList {
  const [position, rows] = parse(bytes) as [number, [string, number, number][]];
  return { position, items: rows.map(([itemId, rank, learners]) => ({ itemId, rank, learners })) };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function parse(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString());
}
