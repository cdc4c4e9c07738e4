import { setImmediate as nextTurn } from "node:timers/promises";
import { bankOfLearner } from "../domain/learner/select-for-learner.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { Clock } from "../ports/clock.ts";
import type { ModelReader } from "../ports/model-reader.ts";
import { type ReadModels, ReadModelsUnavailable } from "../ports/read-models.ts";
import { decodeLearnerState } from "../projections/learner-scores.ts";
import { decodeNext, readNext, type StoredList } from "../projections/next-items.ts";
import { type LiveView, nextField, stateField } from "../projections/rows.ts";
import { answerOfList } from "./answer-of-list.ts";
import { type Cut, cut } from "./cut-list.ts";
import { createItemJson } from "./item-json.ts";
import { isAhead, serves } from "./list-serves.ts";
import type { LiveViewReader } from "./live-view.ts";
import { newLearnerWindow, selectForNewLearner } from "./new-learner.ts";
import type { NextRequest, NextSource } from "./next-request.ts";
import type { Popular, PopularReader } from "./popular.ts";
import { type NextAnswer, renderNext } from "./render-next.ts";
import { finish, type Json, type Rendered } from "./rendered.ts";
import { createRowCache, type RowCache } from "./row-cache.ts";
import type { KeptField } from "./row-memory.ts";
import { selectNow, shortened } from "./select-now.ts";
import { offerOnce, type ServedLists } from "./served-lists.ts";
import { shownOf } from "./shown-items.ts";
import { type Listen, waitUntil } from "./wait-until.ts";

export interface NextItemsDeps {
  readonly readModels: ReadModels;
  readonly liveView: LiveViewReader;
  readonly popular: PopularReader;
  readonly catalogue: CatalogueReader;
  readonly model: ModelReader;
  readonly clock: Clock;
  /** Items in a full precomputed list, as the projector was told. */
  readonly listSize: number;
  /** Longest wait for a freshness token. */
  readonly freshnessWaitMs: number;
  readonly onAnswer?: (source: NextSource) => void;
  /** Takes a share, 0..1, of the lists that are given out. None when left out. */
  readonly served?: ServedLists | undefined;
  /** Rows in memory that others use too. Left out: its own. */
  readonly rows?: RowCache;
}

export interface NextItems {
  /** The answer as JSON. A track that does not exist counts as none: callers refuse it before. */
  one(learnerId: string, request: NextRequest): Json | Promise<Json>;
  /** One answer for each learner, in order; the rows are read in one round trip. */
  many(learnerIds: readonly string[], request: NextRequest): Promise<string[]>;
  close(): void;
}

/**
 * Answers "what next?" from the learner's one precomputed value, put into words. Where that does not serve the request
 * it selects from the learner's state; without the read models it answers from what it read last, marked stale.
 */
export function createNextItems(deps: NextItemsDeps): NextItems {
  const { liveView, catalogue, clock } = deps;
  const { model } = deps.model;
  const itemJson = createItemJson(catalogue);
  const rows = deps.rows ?? createRowCache(deps);
  const offer = offerOnce(deps.served);
  /** Answers without an item that the learner's list has: this process does not know of it yet. */
  const behind = new WeakSet<Rendered>();

  const render = (answer: NextAnswer): Rendered =>
    renderNext(answer, shownOf(answer.items(), itemJson), 0, deps.served?.share);

  /** What is sent, and recorded as sent. That a list has not changed counts as sent. */
  function send(answer: Rendered, fresh: boolean | null): Json {
    offer(answer);
    return finish(answer, clock.now(), fresh);
  }

  /** What was made of the list before, where it still serves: all but the hour is in the name and the version. */
  function madeOfList(field: KeptField, { cacheKey, sessionId }: NextRequest): Rendered | undefined {
    if (cacheKey === null || sessionId !== undefined) return undefined;
    const made = field.made(cacheKey, catalogue.version);
    return made !== undefined && holds(made, clock) ? made : undefined;
  }

  function ofList(
    learnerId: string,
    bytes: Buffer,
    list: StoredList,
    { shown, places }: Cut,
    source: "personal" | "stale",
  ): Rendered {
    const answer = answerOfList(learnerId, source, list, places, deps.listSize, () => decodeNext(bytes).items);
    const made = renderNext(answer, shown, list.sum, deps.served?.share);
    // Mostly no more of the list is read than is shown.
    if (places.length < list.items.ids.length && isAhead(list, catalogue)) behind.add(made);
    return made;
  }

  /** The answer from a precomputed list; null where it does not serve the request. */
  function fromList(learnerId: string, field: KeptField, request: NextRequest): Rendered | null {
    const kept = madeOfList(field, request);
    if (kept !== undefined) return kept;
    if (field.bytes === null) return null;
    // Mostly nothing is passed over, and those at its end are not needed.
    let list = readNext(field.bytes, request.count);
    const bank = catalogue.bank(list.trackId);
    if (!serves(list, bank, learnerId, request, catalogue) || !holds(list, clock)) return null;
    let some = cut(list, bank, request, null, itemJson);
    if (some === null || some.places.length < request.count) {
      list = readNext(field.bytes);
      some = cut(list, bank, request, deps.listSize, itemJson);
    }
    if (some === null) return null;
    const made = ofList(learnerId, field.bytes, list, some, "personal");
    return request.cacheKey === null ? made : field.make(request.cacheKey, catalogue.version, made);
  }

  /** The same where nothing newer is to be had: whatever of the list fits the request. */
  function fromStaleList(learnerId: string, field: KeptField, request: NextRequest): Rendered | null {
    const name = request.cacheKey === null ? null : `stale ${request.cacheKey}`;
    const kept = name === null ? undefined : field.made(name, catalogue.version);
    if (kept !== undefined || field.bytes === null) return kept ?? null;
    const list = readNext(field.bytes);
    const some = cut(list, catalogue.bank(request.trackId), request, null, itemJson);
    if (some === null || some.places.length === 0) return null;
    const made = ofList(learnerId, field.bytes, list, some, "stale");
    return name === null ? made : field.make(name, catalogue.version, made);
  }

  /** `list`: of the learner, and does not serve the request. */
  async function withoutList(list: KeptField, request: NextRequest): Promise<Rendered> {
    const { learnerId, namespace } = list;
    const field = await rows.get(namespace, learnerId, stateField);
    // One session's answer is no other's.
    const cacheKey = request.sessionId === undefined ? request.cacheKey : null;
    const version = `${catalogue.version}.${deps.model.current().version}`;
    const kept = cacheKey === null ? undefined : field.made(cacheKey, version);
    if (kept !== undefined && holds(kept, clock)) return done(kept, "personal");
    const state = field.bytes === null ? null : decodeLearnerState(field.bytes, model);
    if (state === null) return forNewLearner(learnerId, request, field);
    const made = render(selectNow(deps, learnerId, state, request));
    if (list.bytes !== null && isAhead(readNext(list.bytes), catalogue)) behind.add(made);
    return done(cacheKey === null ? made : field.make(cacheKey, version, made), "personal");
  }

  /** `field` is where there is no state: what is answered is kept with that. */
  async function forNewLearner(learnerId: string, request: NextRequest, field: KeptField | null): Promise<Rendered> {
    const bank = bankOfLearner(learnerId, request.trackId, catalogue.bank);
    const scope = bank.trackId === null ? "all" : (`track:${bank.trackId}` as const);
    const popular = await deps.popular.list(scope, newLearnerWindow).catch(() => nothingPopular);
    const now = clock.now();
    const cacheKey = request.sessionId === undefined ? request.cacheKey : null;
    const version = `${catalogue.version}.${deps.model.current().version}.${popular.version}`;
    const kept = field === null || cacheKey === null ? undefined : field.made(cacheKey, version);
    if (kept !== undefined && holds(kept, clock)) return done(kept, "popular");
    const input = { learnerId, bank, model: deps.model, popular: popular.items, request, now };
    const { items, fromPopular, stop } = selectForNewLearner(input);
    const shown = items.map(shortened);
    const made = render({
      ...{ learnerId, source: "popular", trackId: bank.trackId, sessionType: request.sessionType },
      computed: items.length > 0 && fromPopular === items.length ? "precomputed" : "on_demand",
      ...{ policyVersion: bank.policyVersion, arm: bank.arm, model: model.name },
      ...{ modelVersion: deps.model.current().version, revision: 0, position: popular.position },
      ...{ at: now, holdsUntil: now + newLearnerKeptMs, stop, items: () => shown },
      selection: { size: request.count, items: () => items, cut: request.exclude.size > 0, skillIds: request.skillIds },
    });
    return done(field === null || cacheKey === null ? made : field.make(cacheKey, version, made), "popular");
  }

  /** The answer from this learner's list as just read; at once where the list serves the request. */
  function answer(learnerId: string, field: KeptField, request: NextRequest): Rendered | Promise<Rendered> {
    const made = fromList(learnerId, field, request);
    return made === null ? withoutList(field, request) : done(made, "personal");
  }

  async function withoutReadModels(learnerId: string, request: NextRequest): Promise<Rendered> {
    const field = rows.last(learnerId, nextField(request.sessionType)) ?? rows.last(learnerId, nextField("practice"));
    const made = field === undefined ? null : fromStaleList(learnerId, field, request);
    return made === null ? forNewLearner(learnerId, request, null) : done(made, "stale");
  }

  function done(made: Rendered, source: NextSource): Rendered {
    deps.onAnswer?.(source);
    return made;
  }

  // Not async: what is in memory is answered at once, and what is read is answered as soon as it is there.
  function once(learnerId: string, request: NextRequest, get = rows.get): Rendered | Promise<Rendered> {
    const view = liveView.current();
    if (view instanceof Promise) {
      return view.then((live) => fromRow(live, learnerId, request, get)).catch(instead(learnerId, request));
    }
    return fromRow(view, learnerId, request, get);
  }

  function fromRow(
    live: LiveView | null,
    learnerId: string,
    request: NextRequest,
    get: RowCache["get"],
  ): Rendered | Promise<Rendered> {
    if (live === null) return forNewLearner(learnerId, request, null);
    const field = get(live.namespace, learnerId, nextField(request.sessionType), request.after?.revision);
    if (field instanceof Promise) {
      const without = instead(learnerId, request);
      return field.then((read) => {
        const made = answer(learnerId, read, request);
        return made instanceof Promise ? made.catch(without) : made;
      }, without);
    }
    const made = answer(learnerId, field, request);
    return made instanceof Promise ? made.catch(instead(learnerId, request)) : made;
  }

  const instead =
    (learnerId: string, request: NextRequest) =>
    (error: unknown): Promise<Rendered> => {
      if (!(error instanceof ReadModelsUnavailable)) throw error;
      return withoutReadModels(learnerId, request);
    };

  function one(learnerId: string, request: NextRequest): Json | Promise<Json> {
    const { after } = request;
    if (after === null) {
      const made = once(learnerId, request);
      return made instanceof Promise ? made.then((answered) => send(answered, null)) : send(made, null);
    }
    const isFresh = (made: Rendered): boolean => made.revision >= after.revision && !behind.has(made);
    // What is in memory will do if it is new enough; from then on it is asked what stands in the read models.
    let get: RowCache["get"] = rows.get;
    const ask = async (): Promise<Rendered> => {
      const made = await once(learnerId, request, get);
      get = rows.read;
      return made;
    };
    const listen: Listen = (wake) => rows.onWrite(learnerId, wake);
    return waitUntil(ask, isFresh, deps.freshnessWaitMs, listen).then((made) => send(made, isFresh(made)));
  }

  async function all(learnerIds: readonly string[], request: NextRequest): Promise<Rendered[]> {
    const live = await liveView.current();
    if (live === null) return Promise.all(learnerIds.map((id) => forNewLearner(id, request, null)));
    const fields = await rows.getMany(live.namespace, learnerIds, nextField(request.sessionType));
    const answers: Rendered[] = [];
    for (const [at, field] of fields.entries()) {
      answers.push(await answer(field.learnerId, field, request));
      // A thousand selections in one go would hold every other request up.
      if (at % answersPerTurn === answersPerTurn - 1) await nextTurn();
    }
    return answers;
  }

  async function many(learnerIds: readonly string[], request: NextRequest): Promise<string[]> {
    const answers = await all(learnerIds, request).catch((error: unknown) => {
      if (!(error instanceof ReadModelsUnavailable)) throw error;
      return Promise.all(learnerIds.map((id) => withoutReadModels(id, request)));
    });
    return answers.map((made) => send(made, null).texts.join(""));
  }

  return {
    one,
    many,
    close: () => (deps.rows === undefined ? rows.close() : undefined),
  };
}

const answersPerTurn = 50;
/** Popularity fades: what a new learner was given holds so long. Milliseconds. */
const newLearnerKeptMs = 60_000;
const nothingPopular: Popular = { position: 0, items: [], stale: true, version: 0 };

const holds = ({ holdsUntil }: { readonly holdsUntil: number | null }, clock: Clock): boolean =>
  holdsUntil === null || holdsUntil > clock.now();
