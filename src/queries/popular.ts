import { LRUCache } from "lru-cache";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { Clock } from "../ports/clock.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { type PopularWindow, popularCount } from "../projections/popular-items.ts";
import { decodePopular, type PopularItem, type PopularScope, popularKey, topField } from "../projections/rows.ts";
import type { LiveViewReader } from "./live-view.ts";

export interface PopularDeps {
  readonly readModels: ReadModels;
  readonly liveView: LiveViewReader;
  readonly clock: Clock;
}

export interface Popular {
  readonly position: number;
  /** Best first, at most 100. */
  readonly items: readonly PopularItem[];
  /** The read models did not answer: this is what was read last. */
  readonly stale: boolean;
}

export interface PopularReader {
  /** Kept for a second: popularity moves slowly, and every new learner asks for it. */
  list(scope: PopularScope, window: PopularWindow): Promise<Popular>;
}

const keepMs = 1_000;
/** A list so old is still answered at once, while it is read again. */
const serveMs = 10_000;
const none: Popular = { position: 0, items: [], stale: false };

export function createPopularReader({ readModels, liveView, clock }: PopularDeps): PopularReader {
  const kept = new LRUCache<string, { popular: Popular; readonly at: number }>({ max: 1_000 });
  const reading = new Map<string, Promise<Popular>>();

  async function read(scope: PopularScope, window: PopularWindow): Promise<Popular> {
    const view = await liveView.current();
    if (view === null) return none;
    const bytes = await readModels.get(popularKey(view.namespace, scope, window), topField);
    return bytes === null ? none : { ...decodePopular(bytes), stale: false };
  }

  function readOnce(key: string, scope: PopularScope, window: PopularWindow): Promise<Popular> {
    const running = reading.get(key);
    if (running !== undefined) return running;
    const started = read(scope, window)
      .then(
        (popular) => {
          kept.set(key, { popular, at: clock.now() });
          return popular;
        },
        (error) => {
          const last = kept.peek(key);
          if (last === undefined) throw error;
          last.popular = { ...last.popular, stale: true };
          return last.popular;
        },
      )
      .finally(() => reading.delete(key));
    reading.set(key, started);
    return started;
  }

  return {
    async list(scope, window) {
      const key = `${window} ${scope}`;
      const last = kept.get(key);
      const age = last === undefined ? Number.POSITIVE_INFINITY : Math.abs(clock.now() - last.at);
      if (last !== undefined && age < keepMs) return last.popular;
      const now = readOnce(key, scope, window);
      if (last === undefined || age >= serveMs) return now;
      // The one before will do, and nobody waits: not for read models that hang either.
      now.catch(() => undefined);
      return last.popular;
    },
  };
}

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

/** What many learners do: by track or by skill, or overall. Retired items are left out. */
export async function popularItems(
  popular: PopularReader,
  { catalogue: { catalogue }, clock }: { readonly catalogue: CatalogueReader; readonly clock: Clock },
  request: { window: PopularWindow; trackId?: string | undefined; skillId?: string | undefined; count: number },
): Promise<PopularAnswer> {
  const { window, trackId = null, skillId = null, count } = request;
  const scope: PopularScope = trackId !== null ? `track:${trackId}` : skillId !== null ? `skill:${skillId}` : "all";
  const list = await popular.list(scope, window);
  const items = list.items.flatMap(({ itemId, learners, rank }) => {
    const item = catalogue.items.get(itemId);
    if (item === undefined || item.retired) return [];
    const now = Math.round(popularCount(rank, window, clock.now()) * 1000) / 1000;
    return [{ itemId, title: item.title, skillIds: item.skillIds, learners, count: now }];
  });
  return { window, trackId, skillId, position: list.position, stale: list.stale, items: items.slice(0, count) };
}
