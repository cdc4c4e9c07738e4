import type { SessionType } from "../domain/events.ts";
import { sessionTypes } from "../domain/events.ts";
import { type LearnerState, newLearnerState } from "../domain/learner/learner-state.ts";
import { bankOfLearner, selectForLearner } from "../domain/learner/select-for-learner.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import type { Log } from "../ports/log.ts";
import type { GuardedWrite, ReadModels, Row } from "../ports/read-models.ts";
import type { Context, PublishedWeights } from "./context.ts";
import { decodeLearnerState, encodeLearnerState } from "./learner-scores.ts";
import { encodeNext } from "./next-items.ts";
import { learnerKey, nextField, stateField } from "./rows.ts";
import { createTurns } from "./turns.ts";

/** A learner in the memory of the projector, and what it knows of the stored row. */
export interface LearnerEntry {
  readonly learnerId: string;
  readonly stream: string;
  state: LearnerState;
  /** Version of the stored row. */
  stored: number;
  /** Session type of the stored state; null where it is not known. */
  storedSession: SessionType | null;
  /** Lists made of `state` as it is; null until they are. */
  lists: ReadonlyMap<string, Buffer> | null;
  /** `state` as it is, as bytes; null until they are made. */
  bytes: Buffer | null;
}

/** Of a learner without a stored row. */
export const newEntry = (learnerId: string, stream: string, state: LearnerState): LearnerEntry => ({
  ...{ learnerId, stream, state, stored: 0, storedSession: "practice" },
  ...{ lists: null, bytes: null },
});

/** Rows asked for at once. */
const readChunk = 500;

export async function readEntries(
  readModels: ReadModels,
  namespace: string,
  learners: readonly { readonly learnerId: string; readonly stream: string }[],
  model: LearnerModel,
): Promise<LearnerEntry[]> {
  const turns = createTurns();
  const entries: LearnerEntry[] = [];
  for (let from = 0; from < learners.length; from += readChunk) {
    const chunk = learners.slice(from, from + readChunk);
    const keys = chunk.map(({ learnerId }) => learnerKey(namespace, learnerId));
    const rows = await readModels.read(keys, [stateField]);
    for (const [at, learner] of chunk.entries()) {
      entries.push(toEntry(learner, rows[at], model));
      if (turns.due()) await turns.take();
    }
  }
  return entries;
}

/** A state that cannot be read counts as none: the learner is folded from the stream's start. */
function toEntry(
  { learnerId, stream }: { readonly learnerId: string; readonly stream: string },
  row: Row | undefined,
  model: LearnerModel,
): LearnerEntry {
  const bytes = row?.fields.get(stateField);
  const state = bytes === undefined ? null : decodeLearnerState(bytes, model);
  const entry = newEntry(learnerId, stream, state ?? newLearnerState(model));
  if (row === undefined || row.version === 0) return entry;
  entry.stored = row.version;
  entry.storedSession = state?.lastSessionType ?? null;
  return entry;
}

export interface ListInput {
  readonly model: LearnerModel;
  /** As of the learner's last event. */
  readonly bankOf: Context["bank"];
  readonly weights: PublishedWeights;
  /** Items in a list. */
  readonly size: number;
}

/**
 * next-items: the practice list, and that of the session the learner is in, both of the track the learner is in. Their
 * time is that of the last event.
 */
export function selectLists({ learnerId, state }: LearnerEntry, input: ListInput): Map<string, Buffer> {
  const { model, weights, size } = input;
  const bank = bankOfLearner(learnerId, state.lastTrackId, input.bankOf);
  const lists = new Map<string, Buffer>();
  for (const sessionType of new Set<SessionType>(["practice", state.lastSessionType])) {
    const now = state.recordedAt;
    const selection = selectForLearner({
      learnerId,
      state,
      bank,
      model,
      weights: weights.weights,
      sessionType,
      now,
      size,
    });
    const bytes = encodeNext({
      revision: state.revision,
      position: state.position,
      at: now,
      sessionType,
      trackId: bank.trackId,
      policyVersion: bank.policyVersion,
      arm: bank.arm,
      model: model.name,
      modelVersion: weights.version,
      holdsUntil: selection.holdsUntil,
      stop: selection.stop,
      items: selection.items,
    });
    lists.set(nextField(sessionType), bytes);
  }
  return lists;
}

/** Sets the lists of an entry. Without any the query selects on demand; the learner's next event tries again. */
export function makeLists(entry: LearnerEntry, input: ListInput, log: Log): void {
  try {
    entry.lists = selectLists(entry, input);
  } catch (err) {
    log.error({ err, stream: entry.stream, revision: entry.state.revision }, "no list could be selected");
    entry.lists = new Map();
  }
}

/**
 * A learner's row ready to be written. Of the state it holds the bytes only, so that a batch of many learners does not keep
 * all their states in memory until their rows may be written.
 */
export interface ReadyRow {
  readonly learnerId: string;
  readonly stream: string;
  readonly revision: number;
  readonly session: SessionType;
  readonly lists: ReadonlyMap<string, Buffer>;
  readonly state: Buffer;
  /** As in {@link LearnerEntry}. */
  readonly stored: number;
  readonly storedSession: SessionType | null;
  /** Where the learner stays in memory. */
  readonly entry: LearnerEntry | null;
}

export function readyRow(entry: LearnerEntry, model: LearnerModel, stays = true): ReadyRow {
  const { state } = entry;
  // Each property by itself: groups that are spread into one object are copied name by name.
  return {
    learnerId: entry.learnerId,
    stream: entry.stream,
    revision: state.revision,
    session: state.lastSessionType,
    lists: entry.lists ?? new Map<string, Buffer>(),
    state: entry.bytes ?? encodeLearnerState(state, model),
    stored: entry.stored,
    storedSession: entry.storedSession,
    entry: stays ? entry : null,
  };
}

/** The write that brings the stored row to this one, from a version (the one it is known to have when left out). */
export function rowWrite(namespace: string, row: ReadyRow, from?: number | "older"): GuardedWrite {
  const set = new Map(row.lists);
  const stale = from === undefined ? row.storedSession : null;
  const remove = staleFields(stale).filter((field) => !set.has(field));
  set.set(stateField, row.state);
  return { key: learnerKey(namespace, row.learnerId), from: from ?? row.stored, to: row.revision, set, remove };
}

/** The same from a learner in memory. */
export const learnerWrite = (
  namespace: string,
  entry: LearnerEntry,
  model: LearnerModel,
  from?: number | "older",
): GuardedWrite => rowWrite(namespace, readyRow(entry, model), from);

const allNextFields = sessionTypes.map(nextField);

/** Lists that may stand in a row whose state was in this session; null: any. */
function staleFields(session: SessionType | null): readonly string[] {
  return session === null ? allNextFields : session === "practice" ? ["next"] : ["next", nextField(session)];
}

export function markStored({ entry, revision, session }: ReadyRow): void {
  if (entry === null) return;
  entry.stored = revision;
  entry.storedSession = session;
  entry.lists = null;
  entry.bytes = null;
}
