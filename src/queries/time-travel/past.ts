import { LRUCache } from "lru-cache";
import { newLearnerState } from "../../domain/learner/learner-state.ts";
import type { LearnerModel } from "../../domain/learner-model/learner-model.ts";
import { learnerStream } from "../../domain/streams.ts";
import type { Blobs } from "../../ports/blobs.ts";
import type { CatalogueReader } from "../../ports/catalogue-reader.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EventStore } from "../../ports/event-store.ts";
import type { Feed } from "../../ports/feed.ts";
import type { Log } from "../../ports/log.ts";
import type { ModelReader } from "../../ports/model-reader.ts";
import type { ReadModels, Row } from "../../ports/read-models.ts";
import { type Context, createContext } from "../../projections/context.ts";
import type { Counters } from "../../projections/counters.ts";
import { foldFromStart, foldStream } from "../../projections/learner-fold.ts";
import { learnerWrite } from "../../projections/learner-rows.ts";
import { entryInPast } from "../../projections/past-entry.ts";
import { popularLists } from "../../projections/popular-tick.ts";
import { countersKey, encodePopular, type LiveView, learnerOfKey, topField } from "../../projections/rows.ts";
import type { LiveViewReader } from "../live-view.ts";
import { countersAt } from "./past-counters.ts";
import type { Place } from "./place.ts";

export interface PastDeps {
  readonly store: Pick<EventStore, "readStream">;
  readonly feed: Feed;
  readonly blobs: Blobs;
  readonly model: LearnerModel;
  readonly log: Log;
  /** Items in a full precomputed list, as the projector was told. */
  readonly listSize: number;
  /** Events folded at the most for one answer about many learners. */
  readonly eventsMax: number;
}

/**
 * Everything that a query reads, as it stood at a place in the log: rows, catalogue, model and clock. The queries
 * themselves do not know that they are asked about the past.
 */
export interface Past {
  readonly place: Place;
  readonly readModels: ReadModels;
  readonly liveView: LiveViewReader;
  readonly catalogue: CatalogueReader;
  readonly model: ModelReader;
  readonly clock: Clock;
  readonly store: PastDeps["store"];
  /** What learners' states are folded with; stands at the place. */
  readonly context: Context;
}

const namespace = "past";
const view = (model: string): LiveView => ({ namespace, partitions: 1, model, format: 0 });
const rowsKept = 50;

export async function openPast(deps: PastDeps, place: Place): Promise<Past> {
  const { model } = deps;
  const context = createContext(deps);
  await context.moveTo(place.position);
  const { weights, version } = context.current;
  const live = view(model.name);
  return {
    place,
    readModels: pastRows(deps, context, place.position),
    liveView: { current: () => live },
    catalogue: {
      ...{ catalogue: context.catalogue, version: context.catalogueVersion, bank: context.bank },
      catchUp: () => Promise.resolve(),
    },
    model: { model, current: () => ({ weights, version }) },
    clock: { now: () => place.time },
    store: deps.store,
    context,
  };
}

const noRow: Row = { version: 0, fields: new Map() };

/** Rows as the projector would have them once it had folded everything up to a position, made when they are asked for. */
function pastRows(deps: PastDeps, context: Context, position: number): ReadModels {
  const kept = new LRUCache<string, Promise<Row>>({ max: rowsKept });
  let counted: Promise<{ counters: Row; popular: ReadonlyMap<string, Row> }> | null = null;

  async function learnerRow(learnerId: string): Promise<Row> {
    const folding = { ...deps, context };
    const stream = learnerStream(learnerId);
    const state = newLearnerState(deps.model);
    const failure = await foldStream(folding, {
      ...{ stream, state, toRevision: Number.POSITIVE_INFINITY, toPosition: position },
    });
    // The learner was parked there: the row is that of the event before.
    const good = failure === null ? state : await foldFromStart(folding, stream, failure.event.revision - 1);
    if (good.revision === 0) return noRow;
    const entry = await entryInPast(folding, stream, good, deps.listSize);
    const { to, set } = learnerWrite(namespace, entry, deps.model);
    return { version: to, fields: set };
  }

  const counters = () => {
    counted ??= countersAt({ ...deps, context }, { position, eventsMax: deps.eventsMax }).then((all) => ({
      counters: rowOf(all, position),
      popular: popularRows(all, context, position),
    }));
    // Asked again it may be answered: counters may be kept by then, or the log answers again.
    counted.catch(() => {
      counted = null;
    });
    return counted;
  };

  async function make(key: string): Promise<Row> {
    const learnerId = learnerOfKey(key);
    if (learnerId !== null) return learnerRow(learnerId);
    if (key === countersKey(namespace, 0)) return (await counters()).counters;
    return (await counters()).popular.get(key) ?? noRow;
  }

  function rowAt(key: string): Promise<Row> {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const made = make(key);
    kept.set(key, made);
    made.catch(() => kept.delete(key));
    return made;
  }

  const get = async (key: string, field: string) => (await rowAt(key)).fields.get(field) ?? null;
  return {
    get,
    async getMany(keys, field) {
      const fields: (Buffer | null)[] = [];
      for (const key of keys) fields.push(await get(key, field));
      return fields;
    },
    read: (keys) => Promise.all(keys.map(rowAt)),
    write: () => Promise.reject(new Error("the past cannot be written")),
    remove: () => Promise.reject(new Error("the past cannot be written")),
    async *keys() {
      yield* [];
    },
    onChange: () => () => undefined,
    onLoss: () => () => undefined,
  };
}

function rowOf(counters: Counters, position: number): Row {
  const checkpoint = { position, learnersPosition: position };
  const { to, set } = counters.write(countersKey(namespace, 0), checkpoint);
  return { version: to, fields: set };
}

function popularRows({ popularity }: Counters, { catalogue }: Context, position: number): ReadonlyMap<string, Row> {
  const lists = popularLists(namespace, popularity, catalogue);
  return new Map(
    Array.from(lists, ([key, items]) => [
      key,
      { version: position, fields: new Map([[topField, encodePopular({ position, items })]]) },
    ]),
  );
}
