import { setImmediate as nextTurn } from "node:timers/promises";
import { decodeEvent } from "../../domain/decode-event.ts";
import type { DomainEvent, EventOf } from "../../domain/events.ts";
import { buildBank } from "../../domain/item-bank/bank.ts";
import { type Catalogue, emptyCatalogue, evolveCatalogue, skipUnreadable } from "../../domain/item-bank/catalogue.ts";
import type { ItemBank } from "../../domain/item-selection/selection.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { type StoredEvent, UnreadableEvent } from "../../domain/stored-event.ts";
import type { Feed, FeedFilter } from "../../ports/feed.ts";
import { ReplayRefused } from "../replays/replay-kind.ts";
import type { ReportInput } from "./report-input.ts";
import { followLearner, newReportLearner, type Observation, type ReportLearner } from "./report-learner.ts";

/** What a report counts is told each interaction that it is about, in the order of the log. */
export interface Collector {
  add(observation: Observation): void;
  /** Ids of the items of a list that a learner was given, those alone that the report is about. */
  served?(itemIds: readonly string[]): void;
}

/** What a report knows beside what its collector counted. */
export interface ReportContext {
  readonly input: ReportInput;
  /** As published up to `position`. */
  readonly catalogue: Catalogue;
  /** Of the track asked for, or of all items. */
  readonly bank: ItemBank;
  readonly model: LearnerModel;
  /** Trained on the log up to there. */
  readonly weights: unknown;
  /** By their number; those who did nothing that counts are among them. */
  readonly learners: readonly ReportLearner[];
  /** Interactions counted. */
  readonly interactions: number;
  readonly answers: number;
  /** Times of the first and the last of them, milliseconds since 1970; null for none. */
  readonly firstAt: number | null;
  readonly lastAt: number | null;
  /** Events that this version cannot read: left out. */
  readonly unreadable: number;
  /** Of the log, up to which was read. */
  readonly position: number;
}

export interface FoldLogDeps {
  readonly feed: Feed;
  readonly model: LearnerModel;
}

export interface FoldLogOptions {
  /** Position up to which the log is read; what is its last when it begins, when left out. */
  readonly to?: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number | null) => void;
}

const pageSize = 2_000;
const whatLearnersDid = { categories: ["learner", "served"], types: ["InteractionRecorded", "ItemsServed"] };

/**
 * Goes over the log once, in its order. Each answer is predicted before it is learnt by a model that begins with nothing
 * and learns all answers (prequential, as `evaluate` does): so the report does not depend on when weights were published, and no
 * prediction has seen its outcome. Mastery is the one that serves. In memory: the state of each learner, a few kilobytes.
 * Throws {@link ReplayRefused} for a track that is not there and where nothing is to be counted, and `signal.reason`.
 */
export async function foldLog(
  { feed, model }: FoldLogDeps,
  input: ReportInput,
  collectors: readonly Collector[],
  { to, signal, onProgress }: FoldLogOptions,
): Promise<ReportContext> {
  // What is recorded meanwhile is for the next report.
  const total = to ?? (await feed.head());
  const catalogue = await readCatalogue(feed, total);
  const bank = buildBank(catalogue, input.trackId ?? null);
  if (bank === null) throw new ReplayRefused(`there is no track ${input.trackId}`);
  if (input.skillId !== undefined && !knowsSkill(catalogue, input.skillId)) {
    throw new ReplayRefused(`there is no skill ${input.skillId}`);
  }
  const weights = model.newWeights();
  const learners = new Map<string, ReportLearner>();
  const scope = scopeOf(input, bank);
  const seen = { interactions: 0, answers: 0, unreadable: 0, position: 0 };
  const times = { first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY };
  const until = input.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(input.to);
  for await (const page of pagesOf(feed, whatLearnersDid)) {
    for (const stored of page.events) {
      if (stored.position > total) break;
      const event = decoded(stored);
      if (event === null) seen.unreadable += 1;
      if (event?.type === "ItemsServed") show(event, scope, collectors);
      if (event?.type !== "InteractionRecorded" || Date.parse(event.data.occurredAt) >= until) continue;
      const { learnerId } = event.data;
      let learner = learners.get(learnerId);
      if (learner === undefined) {
        learner = newReportLearner(learnerId, learners.size, model);
        learners.set(learnerId, learner);
      }
      const observation = followLearner(learner, event.data, { model, weights, policy: bank.policy });
      if (!scope.interaction(observation)) continue;
      for (const collector of collectors) collector.add(observation);
      seen.interactions += 1;
      if (observation.answer !== null) seen.answers += 1;
      times.first = Math.min(times.first, observation.at);
      times.last = Math.max(times.last, observation.at);
    }
    seen.position = Math.min(page.position, total);
    onProgress(seen.position, total);
    await nextTurn();
    signal.throwIfAborted();
    if (page.position >= total) break;
  }
  if (seen.interactions === 0) throw new ReplayRefused(nothingText(input));
  const { first, last } = times;
  return {
    input,
    catalogue,
    bank,
    model,
    weights,
    learners: [...learners.values()],
    ...seen,
    firstAt: Number.isFinite(first) ? first : null,
    lastAt: Number.isFinite(last) ? last : null,
  };
}

function show({ data, recordedAt }: EventOf<"ItemsServed">, scope: Scope, collectors: readonly Collector[]): void {
  const at = Date.parse(recordedAt);
  const itemIds = data.items.map(({ itemId }) => itemId).filter((itemId) => scope.wasShown(itemId, at));
  for (const collector of collectors) collector.served?.(itemIds);
}

function nothingText({ trackId, skillId, from, to }: ReportInput): string {
  const narrowed = [trackId, skillId, from, to].some((each) => each !== undefined);
  return narrowed ? "no interaction is within the track, skill and times asked for" : "the log has no interactions yet";
}

/** What a report is about. */
interface Scope {
  interaction(observation: Observation): boolean;
  wasShown(itemId: string, at: number): boolean;
}

function scopeOf({ trackId, skillId, from, to }: ReportInput, bank: ItemBank): Scope {
  const since = from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from);
  const until = to === undefined ? Number.POSITIVE_INFINITY : Date.parse(to);
  const isIn = (itemId: string): boolean => trackId === undefined || bank.items.has(itemId);
  return {
    interaction: ({ at, data }) =>
      at >= since && isIn(data.itemId) && (skillId === undefined || data.skillIds.includes(skillId)),
    wasShown: (itemId, at) =>
      at >= since &&
      at < until &&
      isIn(itemId) &&
      (skillId === undefined || bank.items.get(itemId)?.skillIds.includes(skillId) === true),
  };
}

function knowsSkill(catalogue: Catalogue, skillId: string): boolean {
  if (catalogue.skills.has(skillId)) return true;
  for (const item of catalogue.items.values()) if (item.skillIds.includes(skillId)) return true;
  return false;
}

async function readCatalogue(feed: Feed, to: number): Promise<Catalogue> {
  const catalogue = emptyCatalogue();
  for await (const { events } of pagesOf(feed, { categories: ["item", "skill", "track"] })) {
    for (const stored of events) {
      if (stored.position > to) return catalogue;
      const event = decoded(stored);
      if (event === null) skipUnreadable(catalogue, stored);
      else evolveCatalogue(catalogue, event);
    }
  }
  return catalogue;
}

interface Page {
  readonly events: readonly StoredEvent[];
  readonly position: number;
}

/** The next page is read while this one is worked on. */
async function* pagesOf(feed: Feed, filter: FeedFilter): AsyncGenerator<Page> {
  let next = feed.read(0, pageSize, filter);
  try {
    for (;;) {
      const page = await next;
      if (page.atHead) {
        yield page;
        return;
      }
      next = feed.read(page.position, pageSize, filter);
      yield page;
    }
  } finally {
    // Its failure is of no interest to one who has gone.
    next.catch(() => undefined);
  }
}

/** null for an event that this version cannot read. */
function decoded(stored: StoredEvent): DomainEvent | null {
  try {
    return decodeEvent(stored);
  } catch (error) {
    if (error instanceof UnreadableEvent) return null;
    throw error;
  }
}
