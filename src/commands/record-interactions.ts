import { currentSchemaVersion, type EventMetadata, type InteractionRecorded } from "../domain/events.ts";
import { armIn } from "../domain/experiments/assignment.ts";
import { freshnessToken } from "../domain/freshness-token.ts";
import { learnerStream } from "../domain/streams.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { Clock } from "../ports/clock.ts";
import type { AppendRequest, AppendResult, EventStore, NewEvent } from "../ports/event-store.ts";
import { derivedEventId } from "./event-id.ts";
import { isoTime, type ReadInteraction, readInteraction } from "./interaction-input.ts";
import { type Refusal, summaryOf } from "./refusal.ts";

export interface RecordInteractionsDeps {
  /** The store itself, or the group commit before it. */
  readonly eventStore: Pick<EventStore, "append">;
  readonly catalogue: CatalogueReader;
  readonly clock: Clock;
  /** What lies later was not yet: see latest-time.ts. Left out: the clock. */
  readonly latestTime?: () => number;
  /** UUIDs, for interactions sent without an id. */
  readonly randomId: () => string;
  /**
   * Lets whatever else the process does go first, now and then while many are read. Not for a caller who records what comes after
   * them before these are recorded: their order would be lost.
   */
  readonly nextTurn?: () => Promise<void>;
}

/** Where the interactions came from; goes into the metadata of each event. */
export interface RecordContext {
  readonly traceparent?: string | undefined;
  readonly apiKeyId?: string | undefined;
}

export type InteractionOutcome =
  | {
      readonly index: number;
      readonly id: string;
      /** accepted: durable now. duplicate: was stored before, with this content. */
      readonly status: "accepted" | "duplicate";
      readonly learnerId: string;
      readonly revision: number;
      readonly position: number;
      readonly token: string;
    }
  | { readonly index: number; readonly id: string | null; readonly status: "rejected"; readonly problem: Refusal };

/** Interactions read before whatever else the process does gets its turn: half a millisecond. */
const readAtATime = 100;

interface Ready extends ReadInteraction {
  readonly index: number;
}

/**
 * Records what learners did. Each input stands for itself: outcomes come in input order, and a bad one loses nobody.
 * When this resolves, what is accepted is durable. Rejects only where the log cannot answer (nothing is then known to
 * be stored; repeating the call with the same ids is safe).
 */
export async function recordInteractions(
  deps: RecordInteractionsDeps,
  inputs: readonly unknown[],
  context: RecordContext = {},
): Promise<InteractionOutcome[]> {
  const now = deps.clock.now();
  const latest = deps.latestTime?.() ?? now;
  const recordedAt = isoTime(now);
  const metadata = metadataOf(context);
  const outcomes = new Array<InteractionOutcome>(inputs.length);
  const ready: Ready[] = [];
  const requests: AppendRequest[] = [];
  for (let index = 0; index < inputs.length; index += 1) {
    if (deps.nextTurn !== undefined && index > 0 && index % readAtATime === 0) await deps.nextTurn();
    const input = inputs[index];
    const reading = readInteraction(input, now, deps.randomId, latest);
    if (reading.ok) {
      const { data, occurredAtGiven } = reading.interaction;
      ready.push({ index, data, occurredAtGiven });
      requests.push(requestFor(data, deps.catalogue, metadata, recordedAt));
    } else {
      outcomes[index] = rejected(index, idOfInput(input), "invalid_interaction", reading.errors);
    }
  }
  if (ready.length === 0) return outcomes;
  const results = await deps.eventStore.append(requests);
  if (results.length !== ready.length) throw new Error(`the log gave ${results.length} results for ${ready.length}`);
  for (let at = 0; at < ready.length; at += 1) {
    const item = ready[at] as Ready;
    outcomes[item.index] = outcomeOf(item, results[at] as AppendResult);
  }
  return outcomes;
}

/** UUID (version 8) of a learner's interaction: ids are unique for each learner, not among learners. */
export function interactionEventId(learnerId: string, interactionId: string): string {
  return derivedEventId(learnerId, interactionId);
}

/** The newest token of each learner with an accepted or repeated interaction. */
export function tokensOf(outcomes: readonly InteractionOutcome[]): ReadonlyMap<string, { readonly token: string }> {
  const newest = new Map<string, { readonly revision: number; readonly token: string }>();
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") continue;
    const known = newest.get(outcome.learnerId);
    if (known === undefined || known.revision <= outcome.revision) newest.set(outcome.learnerId, outcome);
  }
  return newest;
}

/** The last one is kept: posts of one key share it, and a commit writes it once. */
let lastContext: RecordContext = {};
let lastMetadata: EventMetadata = { schemaVersion: currentSchemaVersion };
function metadataOf(context: RecordContext): EventMetadata {
  const same = context.traceparent === lastContext.traceparent && context.apiKeyId === lastContext.apiKeyId;
  if (!same) {
    lastMetadata = newMetadata(context);
    lastContext = { ...context };
  }
  return lastMetadata;
}

function newMetadata({ traceparent, apiKeyId }: RecordContext): EventMetadata {
  return {
    schemaVersion: currentSchemaVersion,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(apiKeyId === undefined ? {} : { apiKeyId }),
  };
}

function requestFor(
  data: ReadInteraction["data"],
  { catalogue }: CatalogueReader,
  metadata: EventMetadata,
  recordedAt: string,
): AppendRequest {
  const item = catalogue.items.get(data.itemId);
  const skillIds = item?.skillIds ?? [];
  const known = item?.difficulty === undefined ? { skillIds } : { skillIds, difficulty: item.difficulty };
  const experiment = data.trackId === undefined ? null : armIn(catalogue.tracks.get(data.trackId), data.learnerId);
  const event: NewEvent = {
    eventId: interactionEventId(data.learnerId, data.interactionId),
    type: "InteractionRecorded",
    data: (experiment === null
      ? { ...data, ...known }
      : { ...data, ...known, experiment }) satisfies InteractionRecorded,
    metadata,
    recordedAt,
  };
  return { stream: learnerStream(data.learnerId), expected: "any", events: [event] };
}

function outcomeOf(item: Ready, result: AppendResult): InteractionOutcome {
  const { index, data } = item;
  if (result.status === "conflict") return conflict(item, [{ path: "id", message: result.why }]);
  if (result.status === "duplicate") {
    const different = differences(item, result.existing[0]?.data);
    if (different.length > 0) {
      return conflict(
        item,
        different.map((path) => ({ path, message: "not what was stored under this id" })),
      );
    }
  }
  const status = result.status === "appended" ? "accepted" : "duplicate";
  const { revision, position } = result;
  const token = freshnessToken(result);
  return { index, id: data.interactionId, status, learnerId: data.learnerId, revision, position, token };
}

function conflict(item: Ready, errors: Refusal["errors"]): InteractionOutcome {
  return rejected(item.index, item.data.interactionId, "interaction_conflict", errors);
}

/** Names of the fields in which a repeat differs. Skills and arm are the catalogue's, and a time not given is nobody's claim. */
function differences(item: Ready, stored: unknown): string[] {
  const before = new Map(Object.entries((stored ?? {}) as Record<string, unknown>));
  const after = new Map(Object.entries(item.data));
  const names = new Set([...before.keys(), ...after.keys()]);
  names.delete("skillIds");
  names.delete("difficulty");
  names.delete("experiment");
  if (!item.occurredAtGiven) names.delete("occurredAt");
  return [...names].filter((name) => before.get(name) !== after.get(name));
}

function rejected(index: number, id: string | null, code: string, errors: Refusal["errors"]): InteractionOutcome {
  return { index, id, status: "rejected", problem: { code, detail: summaryOf(errors), errors } };
}

function idOfInput(input: unknown): string | null {
  if (typeof input !== "object" || input === null || !("id" in input)) return null;
  return typeof input.id === "string" ? input.id.slice(0, 200) : null;
}
