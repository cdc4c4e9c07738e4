import { LRUCache } from "lru-cache";
import type { ItemBank, SelectedItem } from "../domain/item-selection/selection.ts";
import { selectForLearner } from "../domain/learner/select-for-learner.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { Clock } from "../ports/clock.ts";
import type { ModelReader } from "../ports/model-reader.ts";
import { type ReadModels, ReadModelsUnavailable } from "../ports/read-models.ts";
import { decodeLearnerState } from "../projections/learner-scores.ts";
import { decodeNext, type NextList } from "../projections/next-items.ts";
import { learnerKey, nextField, stateField } from "../projections/rows.ts";
import { withinBudget } from "./budget.ts";
import { createItemJson } from "./item-json.ts";
import type { LiveViewReader } from "./live-view.ts";
import { newLearnerWindow, selectForNewLearner } from "./new-learner.ts";
import { countMax, type NextRequest, type NextSource } from "./next-request.ts";
import type { PopularReader } from "./popular.ts";
import { finishNext, type NextAnswer, type RenderedNext, renderNext } from "./render-next.ts";
import { waitUntil } from "./wait-until.ts";

export interface NextItemsDeps {
  readonly readModels: ReadModels;
  readonly liveView: LiveViewReader;
  readonly popular: PopularReader;
  readonly catalogue: CatalogueReader;
  readonly model: ModelReader;
  readonly clock: Clock;
  readonly budgetMs: number;
  /** Longest wait for a freshness token. */
  readonly freshnessWaitMs: number;
  readonly onAnswer?: (source: NextSource) => void;
}

export interface NextItems {
  /** The answer as JSON. null: the track asked for does not exist. */
  one(learnerId: string, request: NextRequest): Promise<string | null>;
  /** One answer for each learner, in order; the rows are read in one round trip. */
  many(learnerIds: readonly string[], request: NextRequest): Promise<string[] | null>;
}

/** What this process last read of one learner, and the answers rendered from it. */
interface Known {
  readonly bytes: Buffer;
  readonly list: NextList;
  catalogueVersion: number;
  readonly rendered: Map<string, RenderedNext>;
}

/** Bytes that the last-known tier may hold, roughly. */
const knownBytesMax = 64 * 1024 * 1024;
const renderedMax = 4;

/** Answers "what next?" from the one precomputed value, in words; see decisions on freshness and staleness in docs/http-api.md. */
export function createNextItems(deps: NextItemsDeps): NextItems {
  const { readModels, liveView, catalogue, clock, budgetMs } = deps;
  const itemJson = createItemJson(catalogue);
  const known = new LRUCache<string, Known>({
    maxSize: knownBytesMax,
    sizeCalculation: ({ bytes }) => bytes.length * 12 + 500,
  });

  function remember(key: string, bytes: Buffer): Known {
    const last = known.get(key);
    if (last?.bytes.equals(bytes)) return last;
    // A copy: what an adapter hands out may be a slice of something much larger.
    const entry = { bytes: Buffer.from(bytes), list: decodeNext(bytes), catalogueVersion: -1, rendered: new Map() };
    known.set(key, entry);
    return entry;
  }

  function render(answer: NextAnswer): RenderedNext {
    return renderNext(answer, itemJson);
  }

  /** The rendered answer from a precomputed list; null where it does not serve the request. */
  function fromList(learnerId: string, entry: Known, request: NextRequest, source: NextSource): RenderedNext | null {
    const { list } = entry;
    if (source === "personal" && list.holdsUntil !== null && list.holdsUntil <= clock.now()) return null;
    if (entry.catalogueVersion !== catalogue.version) {
      entry.catalogueVersion = catalogue.version;
      entry.rendered.clear();
    }
    const key = request.cacheKey === null ? null : `${source} ${request.cacheKey}`;
    const kept = key === null ? undefined : entry.rendered.get(key);
    if (kept !== undefined) return kept;
    const items = cut(list, catalogue.bank(list.trackId), request);
    if (items === null && source === "personal") return null;
    const rendered = render({ ...list, learnerId, source, computed: "precomputed", items: items ?? [] });
    if (key !== null) {
      if (entry.rendered.size >= renderedMax) entry.rendered.clear();
      entry.rendered.set(key, rendered);
    }
    return rendered;
  }

  async function onDemand(learnerId: string, namespace: string, request: NextRequest): Promise<RenderedNext | null> {
    const bytes = await withinBudget(readModels.get(learnerKey(namespace, learnerId), stateField), budgetMs);
    const { model } = deps.model;
    const state = bytes === null ? null : decodeLearnerState(bytes, model);
    if (state === null) return null;
    const { weights, version } = deps.model.current();
    const bank = bankFor(catalogue, request.trackId ?? state.lastTrackId);
    const { sessionType, skillIds, exclude, count } = request;
    const only = skillIds === null ? {} : { onlySkillIds: skillIds };
    const now = clock.now();
    const size = Math.min(count + exclude.size, countMax * 4);
    const base = { learnerId, state, bank, model, weights, sessionType, now, size };
    const items = selectForLearner({ ...base, ...only }).items.filter(({ itemId }) => !exclude.has(itemId));
    const { revision, position, recordedAt: at } = state;
    return render({
      ...{ learnerId, source: "personal", computed: "on_demand", trackId: bank.trackId, sessionType },
      ...{ policyVersion: bank.policyVersion, model: model.name, modelVersion: version, revision, position, at },
      items: items.slice(0, count).map(shortened),
    });
  }

  async function forNewLearner(learnerId: string, request: NextRequest): Promise<RenderedNext> {
    const bank = bankFor(catalogue, request.trackId);
    const now = clock.now();
    const scope = bank.trackId === null ? "all" : (`track:${bank.trackId}` as const);
    const popular = await deps.popular.list(scope, newLearnerWindow).catch(() => ({ position: 0, items: [] }));
    const { model } = deps;
    const { items, fromPopular } = selectForNewLearner({
      learnerId,
      bank,
      model,
      popular: popular.items,
      request,
      now,
    });
    const computed = items.length > 0 && fromPopular === items.length ? "precomputed" : "on_demand";
    return render({
      ...{ learnerId, source: "popular", computed, trackId: bank.trackId, sessionType: request.sessionType },
      ...{ policyVersion: bank.policyVersion, model: model.model.name, modelVersion: model.current().version },
      ...{ revision: 0, position: popular.position, at: now, items: items.map(shortened) },
    });
  }

  /** The answer from this learner's row as just read. */
  async function answer(
    learnerId: string,
    namespace: string,
    bytes: Buffer | null,
    request: NextRequest,
  ): Promise<RenderedNext> {
    if (bytes !== null) {
      const entry = remember(knownKey(learnerId, request), bytes);
      if (serves(entry.list, request)) {
        const rendered = fromList(learnerId, entry, request, "personal");
        if (rendered !== null) return done(rendered, "personal");
      }
    }
    const selected = await onDemand(learnerId, namespace, request);
    if (selected !== null) return done(selected, "personal");
    return done(await forNewLearner(learnerId, request), "popular");
  }

  async function withoutReadModels(learnerId: string, request: NextRequest): Promise<RenderedNext> {
    const entry = known.get(knownKey(learnerId, request)) ?? known.get(`next ${learnerId}`);
    if (entry !== undefined) {
      const rendered = fromList(learnerId, entry, request, "stale");
      if (rendered !== null) return done(rendered, "stale");
    }
    return done(await forNewLearner(learnerId, request), "popular");
  }

  function done(rendered: RenderedNext, source: NextSource): RenderedNext {
    deps.onAnswer?.(source);
    return rendered;
  }

  async function once(learnerId: string, request: NextRequest): Promise<RenderedNext> {
    try {
      const view = liveView.current();
      const live = view instanceof Promise ? await view : view;
      if (live === null) return done(await forNewLearner(learnerId, request), "popular");
      const key = learnerKey(live.namespace, learnerId);
      const bytes = await withinBudget(readModels.get(key, nextField(request.sessionType)), budgetMs);
      return await answer(learnerId, live.namespace, bytes, request);
    } catch (error) {
      if (!(error instanceof ReadModelsUnavailable)) throw error;
      return withoutReadModels(learnerId, request);
    }
  }

  async function one(learnerId: string, request: NextRequest): Promise<string | null> {
    if (request.trackId !== null && catalogue.bank(request.trackId) === null) return null;
    const { after } = request;
    if (after === null) return finishNext(await once(learnerId, request), clock.now(), null);
    const isFresh = (rendered: RenderedNext): boolean => rendered.revision >= after.revision;
    const rendered = await waitUntil(() => once(learnerId, request), isFresh, deps.freshnessWaitMs);
    return finishNext(rendered, clock.now(), isFresh(rendered));
  }

  async function many(learnerIds: readonly string[], request: NextRequest): Promise<string[] | null> {
    if (request.trackId !== null && catalogue.bank(request.trackId) === null) return null;
    const finish = (rendered: RenderedNext): string => finishNext(rendered, clock.now(), null);
    try {
      const live = await liveView.current();
      if (live === null) return await Promise.all(learnerIds.map(async (id) => finish(await once(id, request))));
      const keys = learnerIds.map((id) => learnerKey(live.namespace, id));
      const rows = await withinBudget(readModels.getMany(keys, nextField(request.sessionType)), budgetMs);
      const answers: string[] = [];
      // One after the other: a thousand selections at once would hold every other request up.
      for (const [at, id] of learnerIds.entries()) {
        answers.push(finish(await answer(id, live.namespace, rows[at] ?? null, request)));
      }
      return answers;
    } catch (error) {
      if (!(error instanceof ReadModelsUnavailable)) throw error;
      return Promise.all(learnerIds.map(async (id) => finish(await withoutReadModels(id, request))));
    }
  }

  return { one, many };
}

const knownKey = (learnerId: string, request: NextRequest): string => `${nextField(request.sessionType)} ${learnerId}`;

function serves(list: NextList, request: NextRequest): boolean {
  return (
    list.sessionType === request.sessionType &&
    request.skillIds === null &&
    (request.trackId === null || request.trackId === list.trackId)
  );
}

/** The first `count` items that are still offered and not excluded; null where too few are left to tell. */
function cut(list: NextList, bank: ItemBank | null, request: NextRequest): SelectedItem[] | null {
  const items: SelectedItem[] = [];
  let dropped = 0;
  for (const item of list.items) {
    if (bank?.items.has(item.itemId) && !request.exclude.has(item.itemId)) items.push(item);
    else dropped += 1;
    if (items.length === request.count) return items;
  }
  // All there is, or the list is merely shorter than what is asked for: a selection would find what is not in it.
  return dropped === 0 && list.items.length === 0 ? items : null;
}

/** The bank of the track, or of everything where that track is gone. */
function bankFor(catalogue: CatalogueReader, trackId: string | null): ItemBank {
  const bank = catalogue.bank(trackId) ?? catalogue.bank(null);
  if (bank === null) throw new Error("the catalogue has no bank of all items");
  return bank;
}

function shortened(item: SelectedItem): SelectedItem {
  const short = (value: number): number => Math.round(value * 10_000) / 10_000;
  const reason = "mastery" in item.reason ? { ...item.reason, mastery: short(item.reason.mastery) } : item.reason;
  const propensity = Number(item.propensity.toPrecision(4));
  return { ...item, p: short(item.p), score: short(item.score), propensity, reason };
}
