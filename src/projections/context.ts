import { LRUCache } from "lru-cache";
import { decodeEvent } from "../domain/decode-event.ts";
import type { DomainEvent, ModelPublished, Policy } from "../domain/events.ts";
import { buildBank, defaultPolicy } from "../domain/item-bank/bank.ts";
import { type Catalogue, emptyCatalogue, evolveCatalogue, skipUnreadable } from "../domain/item-bank/catalogue.ts";
import type { ItemBank } from "../domain/item-selection/selection.ts";
import type { LearnerModel } from "../domain/learner-model/learner-model.ts";
import { type StoredEvent, UnreadableEvent } from "../domain/stored-event.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Feed, FeedFilter } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";

/** Streams that say what learners are folded and lists selected with. */
export const contextCategories = ["item", "skill", "track", "model"] as const;
/**
 * What rows are folded from. The rest (lists that were given out, above all, which are longer than interactions and as
 * many) is neither fetched nor decoded.
 */
export const projected: FeedFilter = { categories: ["learner", ...contextCategories] };
const pageSize = 1000;
/** Kind of blob under which the trainer publishes weights. */
const weightsKind = "model";
/** Tracks whose bank is kept; the longest unused goes first. */
const banksMax = 100;

export interface PublishedWeights {
  /** 0: none were published yet. */
  readonly version: number;
  readonly weights: unknown;
}

/**
 * The catalogue and the model as they stand in the log at one position, and what they were at each position before:
 * a learner's state and list depend on the log only, whenever and wherever they are computed.
 */
export interface Context {
  readonly catalogue: Catalogue;
  /** Grows with each change of the catalogue. */
  readonly catalogueVersion: number;
  /** Of a track (null: of all items); null where there is none, or it is retired. Kept until the catalogue changes. */
  bank(trackId: string | null): ItemBank | null;
  /** At the context's own position. */
  readonly current: PublishedWeights;
  /** At an earlier position. */
  weightsAt(position: number): Promise<PublishedWeights>;
  banksAt(position: number): Promise<Context["bank"]>;
  /** Of a track (undefined: of all items) before an earlier position; that of all items where there was no such track. */
  policyAt(trackId: string | undefined, position: number): Policy;
  /** Folds the next catalogue or model event. */
  advance(stored: StoredEvent): Promise<void>;
  /** Brings it to a position, an earlier one too. */
  moveTo(position: number): Promise<void>;
}

export interface ContextDeps {
  readonly feed: Feed;
  readonly blobs: Blobs;
  readonly model: LearnerModel;
  readonly log: Log;
}

interface Publication {
  readonly position: number;
  readonly event: ModelPublished;
}
interface PolicyChoice {
  readonly position: number;
  readonly policy: Policy;
}

/** Stands before the first event. */
export function createContext({ feed, blobs, model, log }: ContextDeps): Context {
  const fresh: PublishedWeights = { version: 0, weights: model.newWeights() };
  const weights = new LRUCache<string, PublishedWeights>({ max: 4 });
  const banks = new LRUCache<string, ItemBank>({ max: banksMax });
  let catalogue = emptyCatalogue();
  let catalogueVersion = 0;
  let publications: Publication[] = [];
  let policies = new Map<string, PolicyChoice[]>();
  let current = fresh;
  /** Of the last event folded in; everything up to `position` is known. */
  let lastPosition = 0;
  let position = 0;

  function forget(): void {
    catalogue = emptyCatalogue();
    catalogueVersion += 1;
    publications = [];
    policies = new Map();
    banks.clear();
    current = fresh;
    lastPosition = 0;
    position = 0;
  }

  async function advance(stored: StoredEvent): Promise<void> {
    if (stored.position <= lastPosition) return;
    const event = decoded(stored, log);
    if (event === null) skipUnreadable(catalogue, stored);
    else if (event.type === "ModelPublished") await publish(event.data, event.position);
    else if (evolveCatalogue(catalogue, event)) {
      banks.clear();
      catalogueVersion += 1;
      if (event.type === "TrackDefined") notePolicy(event.data.trackId, event.position, event.data.policy);
    }
    lastPosition = stored.position;
    position = Math.max(position, stored.position);
  }

  async function publish(event: ModelPublished, at: number): Promise<void> {
    if (event.model !== model.name) return;
    const found = await load(event);
    if (found === null) return;
    publications.push({ position: at, event });
    current = found;
  }

  /** null where the weights are lost for good; the ones before them serve on. */
  async function load(event: ModelPublished): Promise<PublishedWeights | null> {
    const cached = weights.get(event.weights);
    if (cached !== undefined) return cached;
    const bytes = await blobs.get(weightsKind, event.weights);
    try {
      if (bytes === null) throw new Error("no such weights");
      const found = { version: event.version, weights: model.decodeWeights(bytes) };
      weights.set(event.weights, found);
      return found;
    } catch (err) {
      log.error({ err, version: event.version, weights: event.weights }, "published weights cannot be used");
      return null;
    }
  }

  function bank(trackId: string | null): ItemBank | null {
    const key = trackId === null ? "all" : `track:${trackId}`;
    const kept = banks.get(key);
    if (kept !== undefined) return kept;
    const built = buildBank(catalogue, trackId);
    if (built !== null) banks.set(key, built);
    return built;
  }

  function notePolicy(trackId: string, position: number, policy: Policy): void {
    policies.set(trackId, [...(policies.get(trackId) ?? []), { position, policy }]);
  }

  return {
    get catalogue() {
      return catalogue;
    },
    get catalogueVersion() {
      return catalogueVersion;
    },
    get current() {
      return current;
    },
    bank,
    async weightsAt(at) {
      const publication = publications.findLast((one) => one.position < at);
      if (publication === undefined) return fresh;
      const found = await load(publication.event);
      if (found === null) throw new Error(`the weights ${publication.event.weights} were there and are gone`);
      return found;
    },
    async banksAt(at) {
      if (catalogue.position <= at) return bank;
      const past = emptyCatalogue();
      for await (const stored of contextEvents(feed, at)) {
        const event = decoded(stored, log);
        if (event !== null) evolveCatalogue(past, event);
      }
      return (trackId) => buildBank(past, trackId);
    },
    policyAt(trackId, at) {
      if (trackId === undefined) return defaultPolicy;
      return policies.get(trackId)?.findLast((one) => one.position < at)?.policy ?? defaultPolicy;
    },
    advance,
    async moveTo(to) {
      if (lastPosition > to) forget();
      if (position < to) for await (const stored of contextEvents(feed, to, position)) await advance(stored);
      position = to;
    },
  };
}

/** null for an event that this version cannot read: it is passed over, and told. */
function decoded(stored: StoredEvent, log: Log): DomainEvent | null {
  try {
    return decodeEvent(stored);
  } catch (err) {
    if (!(err instanceof UnreadableEvent)) throw err;
    log.error({ err, position: stored.position }, "catalogue or model event cannot be read, passed over");
    return null;
  }
}

async function* contextEvents(feed: Feed, to: number, after = 0): AsyncGenerator<StoredEvent> {
  for (let position = after; position < to; ) {
    const page = await feed.read(position, pageSize, { categories: contextCategories });
    for (const stored of page.events) if (stored.position <= to) yield stored;
    if (page.atHead) return;
    position = page.position;
  }
}
