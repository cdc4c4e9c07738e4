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
/** Weights on their way from the store before they are needed: some tens of kilobytes each. */
const foreseenMax = 8;
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
  /** Folds the next catalogue or model event; or several that follow each other, of whose models only the last is loaded. */
  advance(stored: StoredEvent | readonly StoredEvent[]): Promise<void>;
  /** Models that the context will be advanced through soon: their weights are fetched meanwhile, a few at a time. */
  foresee(events: readonly StoredEvent[]): void;
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
  /** Its weights were there: rows may have been made with them. */
  used: boolean;
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
  /** So many of them `current` was chosen from. */
  let lookedAt = 0;
  let policies = new Map<string, PolicyChoice[]>();
  let current = fresh;
  const foreseen = new Map<string, Promise<Buffer | null>>();
  let toForesee: string[] = [];
  /** Of the last event folded in; everything up to `position` is known. */
  let lastPosition = 0;
  let position = 0;

  function forget(): void {
    catalogue = emptyCatalogue();
    catalogueVersion += 1;
    publications = [];
    lookedAt = 0;
    policies = new Map();
    banks.clear();
    current = fresh;
    lastPosition = 0;
    position = 0;
  }

  async function advance(stored: StoredEvent | readonly StoredEvent[]): Promise<void> {
    for (const event of "position" in stored ? [stored] : stored) fold(event);
    await useNewest();
  }

  function fold(stored: StoredEvent): void {
    if (stored.position <= lastPosition) return;
    const event = decoded(stored, log);
    if (event === null) skipUnreadable(catalogue, stored);
    else if (event.type === "ModelPublished") {
      if (event.data.model === model.name)
        publications.push({ position: event.position, event: event.data, used: false });
    } else if (evolveCatalogue(catalogue, event)) {
      banks.clear();
      catalogueVersion += 1;
      if (event.type === "TrackDefined") notePolicy(event.data.trackId, event.position, event.data.policy);
    }
    lastPosition = stored.position;
    position = Math.max(position, stored.position);
  }

  /** The newest of the publications not looked at yet that can be used. */
  async function useNewest(): Promise<void> {
    for (let at = publications.length - 1; at >= lookedAt; at -= 1) {
      const found = await load(publications[at] as Publication);
      if (found === null) continue;
      current = found;
      break;
    }
    lookedAt = publications.length;
  }

  /** null where the weights are lost for good; the ones before them serve on. */
  async function load(publication: Publication): Promise<PublishedWeights | null> {
    const { event } = publication;
    const cached = weights.get(event.weights);
    if (cached !== undefined) return cached;
    const bytes = await fetched(event.weights);
    try {
      if (bytes === null) throw new Error("no such weights");
      const found = { version: event.version, weights: model.decodeWeights(bytes) };
      weights.set(event.weights, found);
      publication.used = true;
      return found;
    } catch (err) {
      if (publication.used) throw new Error(`the weights ${event.weights} were there and are gone`, { cause: err });
      log.error({ err, version: event.version, weights: event.weights }, "published weights cannot be used");
      return null;
    }
  }

  function fetched(name: string): Promise<Buffer | null> {
    const bytes = foreseen.get(name) ?? blobs.get(weightsKind, name);
    foreseen.delete(name);
    fetchAhead();
    return bytes;
  }

  function fetchAhead(): void {
    while (foreseen.size < foreseenMax) {
      const name = toForesee.shift();
      if (name === undefined) return;
      const bytes = blobs.get(weightsKind, name);
      // Its failure is for whoever comes to need it.
      bytes.catch(() => undefined);
      foreseen.set(name, bytes);
    }
  }

  function foresee(events: readonly StoredEvent[]): void {
    foreseen.clear();
    toForesee = [];
    for (let at = 0; at < events.length; at += 1) {
      const stored = events[at] as StoredEvent;
      // One of several in a row is not loaded.
      if (stored.type !== "ModelPublished" || events[at + 1]?.type === "ModelPublished") continue;
      const { weights: name, model: of } = stored.data as Partial<ModelPublished>;
      if (typeof name === "string" && of === model.name && !weights.has(name)) toForesee.push(name);
    }
    fetchAhead();
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
      for (let before = publications.length - 1; before >= 0; before -= 1) {
        const publication = publications[before] as Publication;
        if (publication.position >= at) continue;
        const found = await load(publication);
        if (found !== null) return found;
      }
      return fresh;
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
    foresee,
    async moveTo(to) {
      if (lastPosition > to) forget();
      if (position < to) for await (const stored of contextEvents(feed, to, position)) fold(stored);
      await useNewest();
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
