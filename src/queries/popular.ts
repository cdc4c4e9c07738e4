import { LRUCache } from "lru-cache";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { Clock } from "../ports/clock.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { type PopularWindow, popularCount } from "../projections/popular-items.ts";
import {
  decodePopular,
  type PopularItem,
  type PopularScope,
  popularNameOf,
  popularPrefix,
  topField,
} from "../projections/rows.ts";
import type { LiveViewReader } from "./live-view.ts";
import { type Json, whole } from "./rendered.ts";
import type { LookUp } from "./row-cache.ts";

export interface PopularDeps {
  readonly readModels: ReadModels;
  readonly liveView: LiveViewReader;
  readonly clock: Clock;
  /** Told of each look-up, and of how long ago what is in memory was read: 0 where it was not. */
  readonly onLookUp?: (kind: "popular", found: LookUp, ageMs: number) => void;
}

export interface Popular {
  readonly position: number;
  /** Best first, at most 100. */
  readonly items: readonly PopularItem[];
  /** The read models did not answer: this is what was read last. */
  readonly stale: boolean;
  /** Of this process: another one for each list that was read, and other items. */
  readonly version: number;
}

export interface PopularReader {
  list(scope: PopularScope, window: PopularWindow): Promise<Popular>;
}

/** A reader whose lists stay ready: read again at the word of a write, and every few seconds, while they are asked for. */
export interface HeldPopular extends PopularReader {
  /** Reads lists, by their names, before anybody asks for them. Rejects with ReadModelsUnavailable. */
  warm(names: readonly string[]): Promise<void>;
  /** Names of those that are held, the last used first. */
  names(): string[];
  close(): void;
}

/** What a list is held under, and a part of its key. */
export const popularName = (scope: PopularScope, window: PopularWindow): string => `${scope}:${window}`;

/** A list so old is answered at once, while it is read again; an older one is waited for. */
const keepMs = 1_000;
const serveMs = 10_000;
/** A word of a write may be lost: lists that are held are read again so often, until nobody asks for them for so long. */
const againMs = 5_000;
const unusedMs = 10 * 60_000;
const bytesMax = 16 * 1024 * 1024;
const none: Popular = { position: 0, items: [], stale: false, version: 0 };

interface Kept {
  popular: Popular;
  readonly bytes: Buffer | null;
  at: number;
  usedAt: number;
}

/** `hold` is asked for by a process that serves; what asks once and is done does without. */
export function createPopularReader(deps: PopularDeps): PopularReader;
export function createPopularReader(deps: PopularDeps, hold: true): HeldPopular;
export function createPopularReader({ readModels, liveView, clock, onLookUp }: PopularDeps, hold = false): HeldPopular {
  const kept = new LRUCache<string, Kept>({ maxSize: bytesMax, sizeCalculation: sizeOf });
  const reading = new Map<string, Promise<Popular>>();
  let versions = 0;

  /** By the end of its key: scope and window. */
  async function read(name: string): Promise<Buffer | null> {
    const view = await liveView.current();
    return view === null ? null : readModels.get(popularPrefix(view.namespace) + name, topField);
  }

  function take(name: string, bytes: Buffer | null): Popular {
    const last = kept.peek(name);
    const now = clock.now();
    if (last !== undefined && sameBytes(last.bytes, bytes)) {
      last.at = now;
      if (last.popular.stale) last.popular = { ...last.popular, stale: false };
      return last.popular;
    }
    versions += 1;
    const popular = bytes === null ? none : { ...decodePopular(bytes), stale: false, version: versions };
    kept.set(name, {
      popular,
      bytes: bytes === null ? null : Buffer.from(bytes),
      at: now,
      usedAt: last?.usedAt ?? now,
    });
    return popular;
  }

  function readOnce(name: string): Promise<Popular> {
    const running = reading.get(name);
    if (running !== undefined) return running;
    const started = read(name)
      .then(
        (bytes) => take(name, bytes),
        (error) => {
          const last = kept.peek(name);
          if (last === undefined) throw error;
          last.popular = { ...last.popular, stale: true };
          // Nobody else waits for read models that hang.
          last.at = clock.now();
          return last.popular;
        },
      )
      .finally(() => reading.delete(name));
    reading.set(name, started);
    return started;
  }

  const again = (name: string): void => void readOnce(name).catch(() => undefined);

  function refresh(): void {
    const now = clock.now();
    for (const [name, { usedAt, at }] of [...kept.entries()]) {
      if (now - usedAt > unusedMs) kept.delete(name);
      else if (now - at >= keepMs) again(name);
    }
  }

  function written(keys: readonly string[] | null): void {
    if (keys === null) refresh();
    for (const key of keys ?? []) {
      const name = popularNameOf(key);
      if (name !== null && kept.has(name)) again(name);
    }
  }

  const stopListening = hold ? readModels.onChange(written) : () => undefined;
  const timer = hold ? setInterval(refresh, againMs).unref() : undefined;
  return {
    async list(scope, window) {
      const name = popularName(scope, window);
      const last = kept.get(name);
      const now = clock.now();
      const age = last === undefined ? Number.POSITIVE_INFINITY : Math.abs(now - last.at);
      const found = last === undefined || age >= serveMs ? (reading.has(name) ? "joined" : "miss") : "hit";
      onLookUp?.("popular", found, found === "hit" ? age : 0);
      if (last === undefined || found !== "hit") return readOnce(name);
      last.usedAt = now;
      // Nobody waits: not for read models that hang either.
      if (age >= keepMs) again(name);
      return last.popular;
    },
    async warm(names) {
      await Promise.all(names.map(readOnce));
    },
    names: () => [...kept.keys()],
    close() {
      stopListening();
      clearInterval(timer);
    },
  };
}

/** Roughly: a key, and for each item its id and two numbers. */
const sizeOf = ({ popular, bytes }: Kept): number => 500 + (bytes?.length ?? 0) + popular.items.length * 120;
const sameBytes = (a: Buffer | null, b: Buffer | null): boolean => (a === null || b === null ? a === b : a.equals(b));

export interface PopularAnswer {
  readonly window: PopularWindow;
  readonly trackId: string | null;
  readonly skillId: string | null;
  readonly position: number;
  readonly stale: boolean;
  readonly items: readonly {
    readonly itemId: string;
    readonly title: string;
    readonly skillIds: readonly string[];
    readonly learners: number;
    /** Learners of the window, decayed: one of a half-life ago counts as a half. */
    readonly count: number;
  }[];
}

export interface PopularRequest {
  readonly window: PopularWindow;
  readonly trackId?: string | undefined;
  readonly skillId?: string | undefined;
  readonly count: number;
}

interface PopularAnswerDeps {
  readonly catalogue: CatalogueReader;
  readonly clock: Clock;
}

const scopeOf = ({ trackId, skillId }: PopularRequest): PopularScope => {
  if (trackId !== undefined) return `track:${trackId}`;
  return skillId === undefined ? "all" : `skill:${skillId}`;
};

/** What many learners do: by track or by skill, or overall. Retired items are left out. */
export async function popularItems(
  popular: PopularReader,
  { catalogue, clock }: PopularAnswerDeps,
  request: PopularRequest,
): Promise<PopularAnswer> {
  return answerOf(await popular.list(scopeOf(request), request.window), catalogue, request, clock.now());
}

function answerOf(list: Popular, { catalogue }: CatalogueReader, request: PopularRequest, now: number): PopularAnswer {
  const { window, trackId = null, skillId = null, count } = request;
  const items: PopularAnswer["items"][number][] = [];
  for (const { itemId, learners, rank } of list.items) {
    if (items.length === count) break;
    const item = catalogue.items.get(itemId);
    if (item === undefined || item.retired) continue;
    const decayed = Math.round(popularCount(rank, window, now) * 1000) / 1000;
    items.push({ itemId, title: item.title, skillIds: item.skillIds, learners, count: decayed });
  }
  return { window, trackId, skillId, position: list.position, stale: list.stale, items };
}

/** Counts are as of the last full minute, so that an answer stays the same, in all processes, for a while. */
const minuteMs = 60_000;
const answersMax = 500;

export type PopularAnswers = (request: PopularRequest) => Promise<Json>;

/** The same as JSON, made once for each list, catalogue and minute. */
export function createPopularAnswers(popular: PopularReader, { catalogue, clock }: PopularAnswerDeps): PopularAnswers {
  const made = new LRUCache<string, { readonly stamp: string; readonly json: Json }>({ max: answersMax });
  return async (request) => {
    const scope = scopeOf(request);
    const list = await popular.list(scope, request.window);
    const minute = Math.floor(clock.now() / minuteMs);
    const name = `${request.window} ${request.count} ${scope}`;
    const stamp = `${list.version} ${list.stale} ${catalogue.version} ${minute}`;
    const last = made.get(name);
    if (last?.stamp === stamp) return last.json;
    const json = whole(JSON.stringify(answerOf(list, catalogue, request, minute * minuteMs)));
    made.set(name, { stamp, json });
    return json;
  };
}
