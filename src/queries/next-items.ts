import { setImmediate as nextTurn } from "node:timers/promises";
import { type ItemsServed, sessionTypes } from "../domain/events.ts";
import type { SelectedItem } from "../domain/item-selection/selection.ts";
import type { LearnerState } from "../domain/learner/learner-state.ts";
import { bankOfLearner, selectForLearner } from "../domain/learner/select-for-learner.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { Clock } from "../ports/clock.ts";
import type { ModelReader } from "../ports/model-reader.ts";
import { type ReadModels, ReadModelsUnavailable } from "../ports/read-models.ts";
import { decodeLearnerState } from "../projections/learner-scores.ts";
import { decodeNext, type NextList } from "../projections/next-items.ts";
import { type LiveView, learnerKey, nextField, stateField } from "../projections/rows.ts";
import { cut, isStartOf } from "./cut-list.ts";
import { createItemJson } from "./item-json.ts";
import { serves } from "./list-serves.ts";
import type { LiveViewReader } from "./live-view.ts";
import { newLearnerWindow, selectForNewLearner } from "./new-learner.ts";
import type { NextRequest, NextSource } from "./next-request.ts";
import type { PopularReader } from "./popular.ts";
import { finishNext, type Json, type NextAnswer, type RenderedNext, renderNext } from "./render-next.ts";
import { createRowCache, type KeptField, type RowCache } from "./row-cache.ts";
import { waitUntil } from "./wait-until.ts";

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
  /** Told of each row asked of this process's memory: whether it was there. */
  readonly onLookUp?: (hit: boolean) => void;
}

/** Where lists that are given out are recorded: it neither waits nor throws. */
export interface ServedLists {
  readonly share: number;
  offer(list: () => ItemsServed): void;
}

export interface NextItems {
  /** The answer as JSON. A track that does not exist counts as none: callers refuse it before. */
  one(learnerId: string, request: NextRequest): Json | Promise<Json>;
  /** One answer for each learner, in order; the rows are read in one round trip. */
  many(learnerIds: readonly string[], request: NextRequest): Promise<string[]>;
  close(): void;
}

type KeptList = KeptField<NextList, RenderedNext>;
type Lists = RowCache<NextList, RenderedNext>;

/**
 * Answers "what next?" from the learner's one precomputed value, put into words. Where that does not serve the request
 * it selects from the learner's state; without the read models it answers from what it read last, marked stale.
 */
export function createNextItems(deps: NextItemsDeps): NextItems {
  const { readModels, liveView, catalogue, clock } = deps;
  const { model } = deps.model;
  const itemJson = createItemJson(catalogue);
  const lists: Lists = createRowCache({ ...deps, fields: sessionTypes.map(nextField), decode: decodeNext });
  const states: RowCache<LearnerState, RenderedNext> = createRowCache({
    ...deps,
    fields: [stateField],
    decode: (bytes) => decodeLearnerState(bytes, model),
  });

  const render = (answer: NextAnswer): RenderedNext => renderNext(answer, itemJson, deps.served?.share);

  /** What is sent, and recorded as sent, once for each time it was rendered. */
  function finish(rendered: RenderedNext, fresh: boolean | null): Json {
    const { toRecord } = rendered;
    if (toRecord !== null) {
      rendered.toRecord = null;
      deps.served?.offer(toRecord);
    }
    return finishNext(rendered, clock.now(), fresh);
  }

  /** The rendered answer from a precomputed list; null where it does not serve the request. */
  function fromList(
    learnerId: string,
    field: KeptList,
    request: NextRequest,
    source: "personal" | "stale",
  ): RenderedNext | null {
    const list = field.value;
    if (list === null || (source === "personal" && !holds(list, clock.now()))) return null;
    const stale = source === "stale";
    const name = request.cacheKey === null || !stale ? request.cacheKey : `stale ${request.cacheKey}`;
    const kept = name === null ? undefined : field.made(name, catalogue.version);
    if (kept !== undefined) return kept;
    const bank = catalogue.bank(stale ? request.trackId : list.trackId);
    const items = cut(list, bank, request, stale ? null : deps.listSize);
    if (items === null || (stale && items.length === 0)) return null;
    const selection = { size: deps.listSize, items: list.items, cut: !isStartOf(list.items, items), skillIds: null };
    const rendered = render({ ...list, learnerId, source, computed: "precomputed", items, selection });
    return name === null ? rendered : field.make(name, catalogue.version, rendered);
  }

  async function fromState(learnerId: string, namespace: string, request: NextRequest): Promise<RenderedNext | null> {
    const field = await states.get(namespace, learnerId, stateField);
    if (field.value === null) return null;
    // One session's answer is no other's.
    const cacheKey = request.sessionId === undefined ? request.cacheKey : null;
    const stamp = `${catalogue.version}.${deps.model.current().version}`;
    const kept = cacheKey === null ? undefined : field.made(cacheKey, stamp);
    if (kept !== undefined && holds(kept, clock.now())) return kept;
    const rendered = render(selected(learnerId, field.value, request));
    return cacheKey === null ? rendered : field.make(cacheKey, stamp, rendered);
  }

  function selected(learnerId: string, state: LearnerState, request: NextRequest): NextAnswer {
    const { weights, version: modelVersion } = deps.model.current();
    const { sessionType, skillIds, exclude, count, trackId } = request;
    const bank = bankOfLearner(learnerId, trackId ?? state.lastTrackId, catalogue.bank);
    const selection = selectForLearner({
      ...{ learnerId, state, bank, model, weights, sessionType, now: clock.now() },
      size: count,
      ...(exclude.size === 0 ? {} : { excludedItemIds: exclude }),
      ...(skillIds === null ? {} : { onlySkillIds: skillIds }),
      ...(request.sessionId === undefined ? {} : { sessionId: request.sessionId }),
    });
    const { revision, position, recordedAt: at } = state;
    return {
      ...{ learnerId, source: "personal", computed: "on_demand", trackId: bank.trackId, sessionType },
      ...{ policyVersion: bank.policyVersion, arm: bank.arm, model: model.name, modelVersion, revision, position, at },
      ...{ holdsUntil: selection.holdsUntil, stop: selection.stop, items: selection.items.map(shortened) },
      selection: { size: count, items: selection.items, cut: exclude.size > 0, skillIds, sessionId: request.sessionId },
    };
  }

  async function forNewLearner(learnerId: string, request: NextRequest): Promise<RenderedNext> {
    const bank = bankOfLearner(learnerId, request.trackId, catalogue.bank);
    const now = clock.now();
    const scope = bank.trackId === null ? "all" : (`track:${bank.trackId}` as const);
    const popular = await deps.popular.list(scope, newLearnerWindow).catch(() => ({ position: 0, items: [] }));
    const input = { learnerId, bank, model: deps.model, popular: popular.items, request, now };
    const { items, fromPopular, stop } = selectForNewLearner(input);
    const computed = items.length > 0 && fromPopular === items.length ? "precomputed" : "on_demand";
    const answer: NextAnswer = {
      ...{ learnerId, source: "popular", computed, trackId: bank.trackId, sessionType: request.sessionType },
      ...{
        policyVersion: bank.policyVersion,
        arm: bank.arm,
        model: model.name,
        modelVersion: deps.model.current().version,
      },
      ...{ revision: 0, position: popular.position, at: now, holdsUntil: null },
      ...{ stop, items: items.map(shortened) },
      selection: { size: request.count, items, cut: request.exclude.size > 0, skillIds: request.skillIds },
    };
    return done(render(answer), "popular");
  }

  /** The answer from this learner's list as just read; at once where the list serves the request. */
  function answer(
    learnerId: string,
    namespace: string,
    field: KeptList,
    request: NextRequest,
  ): RenderedNext | Promise<RenderedNext> {
    if (field.value !== null && serves(field.value, learnerId, request, catalogue)) {
      const rendered = fromList(learnerId, field, request, "personal");
      if (rendered !== null) return done(rendered, "personal");
    }
    return withoutList(learnerId, namespace, request);
  }

  async function withoutList(learnerId: string, namespace: string, request: NextRequest): Promise<RenderedNext> {
    const rendered = await fromState(learnerId, namespace, request);
    return rendered === null ? forNewLearner(learnerId, request) : done(rendered, "personal");
  }

  async function withoutReadModels(learnerId: string, request: NextRequest): Promise<RenderedNext> {
    const field = lists.last(learnerId, nextField(request.sessionType)) ?? lists.last(learnerId, nextField("practice"));
    const rendered = field === undefined ? null : fromList(learnerId, field, request, "stale");
    return rendered === null ? forNewLearner(learnerId, request) : done(rendered, "stale");
  }

  function done(rendered: RenderedNext, source: NextSource): RenderedNext {
    deps.onAnswer?.(source);
    return rendered;
  }

  // Not async: what is in memory is answered at once, without a turn of the microtask queue.
  function once(learnerId: string, request: NextRequest, get = lists.get): RenderedNext | Promise<RenderedNext> {
    const view = liveView.current();
    const rendered =
      view instanceof Promise
        ? view.then((live) => fromRow(live, learnerId, request, get))
        : fromRow(view, learnerId, request, get);
    if (!(rendered instanceof Promise)) return rendered;
    return rendered.catch((error: unknown) => {
      if (!(error instanceof ReadModelsUnavailable)) throw error;
      return withoutReadModels(learnerId, request);
    });
  }

  function fromRow(
    live: LiveView | null,
    learnerId: string,
    request: NextRequest,
    get: Lists["get"],
  ): RenderedNext | Promise<RenderedNext> {
    if (live === null) return forNewLearner(learnerId, request);
    const field = get(live.namespace, learnerId, nextField(request.sessionType));
    if (!(field instanceof Promise)) return answer(learnerId, live.namespace, field, request);
    return field.then((read) => answer(learnerId, live.namespace, read, request));
  }

  function one(learnerId: string, request: NextRequest): Json | Promise<Json> {
    const { after } = request;
    if (after === null) {
      const rendered = once(learnerId, request);
      if (!(rendered instanceof Promise)) return finish(rendered, null);
      return rendered.then((one) => finish(one, null));
    }
    const isFresh = (rendered: RenderedNext): boolean => rendered.revision >= after.revision;
    // What is in memory will do if it is new enough; from then on it is asked what stands in the read models.
    let get: Lists["get"] = lists.get;
    const ask = async (): Promise<RenderedNext> => {
      const rendered = await once(learnerId, request, get);
      get = lists.read;
      return rendered;
    };
    return waitUntil(ask, isFresh, deps.freshnessWaitMs).then((rendered) => finish(rendered, isFresh(rendered)));
  }

  async function all(learnerIds: readonly string[], request: NextRequest): Promise<RenderedNext[]> {
    const live = await liveView.current();
    if (live === null) return Promise.all(learnerIds.map((id) => forNewLearner(id, request)));
    const keys = learnerIds.map((id) => learnerKey(live.namespace, id));
    const name = nextField(request.sessionType);
    const rows = await readModels.getMany(keys, name);
    const answers: RenderedNext[] = [];
    for (const [at, id] of learnerIds.entries()) {
      const field = lists.seen(live.namespace, id, name, rows[at] ?? null);
      answers.push(await answer(id, live.namespace, field, request));
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
    return answers.map((rendered) => finish(rendered, null).text);
  }

  return {
    one,
    many,
    close() {
      lists.close();
      states.close();
    },
  };
}

const answersPerTurn = 50;

const holds = ({ holdsUntil }: { readonly holdsUntil: number | null }, now: number): boolean =>
  holdsUntil === null || holdsUntil > now;

function shortened(item: SelectedItem): SelectedItem {
  const short = (value: number): number => Math.round(value * 10_000) / 10_000;
  const reason = "mastery" in item.reason ? { ...item.reason, mastery: short(item.reason.mastery) } : item.reason;
  const propensity = Number(item.propensity.toPrecision(4));
  return { ...item, p: short(item.p), score: short(item.score), propensity, reason };
}
