import type { Catalogue, Track } from "../domain/item-bank/catalogue.ts";
import type { Clock } from "../ports/clock.ts";
import type { GuardedWrite, ReadModels } from "../ports/read-models.ts";
import type { Context } from "./context.ts";
import { type Counters, createCounters } from "./counters.ts";
import {
  addPopularity,
  newPopularity,
  type Popularity,
  type PopularWindow,
  popularRank,
  popularWindows,
} from "./popular-items.ts";
import {
  checkpointVersion,
  countersKey,
  encodePopular,
  type PopularItem,
  type PopularScope,
  popularKey,
  topField,
} from "./rows.ts";

/** Items in a list. */
const listMax = 100;

export interface PopularTickOptions {
  readonly namespace: string;
  readonly partitions: number;
  readonly popularTickMs: number;
}

export interface PopularTick {
  /** Writes the lists that changed, when it is time and something was counted. */
  run(own: Counters, position: number, context: Context): Promise<void>;
  /** Nothing is known of what is stored. */
  forget(): void;
}

/** The owner of partition 0 merges what all partitions counted into lists of the most popular items. */
export function createPopularTick(readModels: ReadModels, clock: Clock, options: PopularTickOptions): PopularTick {
  const { namespace, partitions, popularTickMs } = options;
  const otherKeys = Array.from({ length: partitions - 1 }, (_, at) => countersKey(namespace, at + 1));
  const written = new Map<string, Buffer>();
  let lastTickAt = Number.NEGATIVE_INFINITY;
  let lastSeen = "";

  /** Changes whenever a list may. */
  async function seen(own: Counters, context: Context): Promise<string> {
    const others = otherKeys.length === 0 ? [] : await readModels.read(otherKeys, []);
    return [context.catalogueVersion, own.version, ...others.map((row) => row.version)].join(" ");
  }

  async function merged(own: Counters): Promise<{ popularity: ReadonlyMap<string, Popularity>; position: number }> {
    if (otherKeys.length === 0) return { popularity: own.popularity, position: own.checkpoint.position };
    const parts = [own, ...(await readModels.read(otherKeys)).map(createCounters)];
    const total = new Map<string, Popularity>();
    for (const part of parts) {
      for (const [itemId, popularity] of part.popularity) {
        const sum = total.get(itemId) ?? newPopularity();
        addPopularity(sum, popularity);
        total.set(itemId, sum);
      }
    }
    return { popularity: total, position: Math.min(...parts.map((part) => part.checkpoint.position)) };
  }

  return {
    async run(own, position, context) {
      const now = clock.now();
      // A clock set back must not stop the ticks.
      if (now >= lastTickAt && now - lastTickAt < popularTickMs) return;
      lastTickAt = now;
      const state = await seen(own, context);
      if (state === lastSeen) return;
      const { popularity, position: counted } = await merged(own);
      const writes: GuardedWrite[] = [];
      const lists = popularLists(namespace, popularity, context.catalogue);
      for (const key of written.keys()) if (!lists.has(key)) lists.set(key, []);
      for (const [key, items] of lists) {
        const top = encodePopular({ position: counted, items });
        // Only the items say whether it changed.
        const known = encodePopular({ position: 0, items });
        if (written.get(key)?.equals(known) === true) continue;
        written.set(key, known);
        // Above every version that the counters may have at this position.
        writes.push({ key, from: "older", to: checkpointVersion(position + 1), set: new Map([[topField, top]]) });
      }
      if (writes.length > 0) await readModels.write(writes);
      lastSeen = state;
    },
    forget() {
      written.clear();
      lastSeen = "";
      lastTickAt = Number.NEGATIVE_INFINITY;
    },
  };
}

/** The lists of all scopes and windows by key: items of the catalogue that are not retired, the best 100 of each. */
export function popularLists(
  namespace: string,
  popularity: ReadonlyMap<string, Popularity>,
  catalogue: Catalogue,
): Map<string, PopularItem[]> {
  const scopes = scopesOf(popularity.keys(), catalogue);
  const lists = new Map<string, PopularItem[]>();
  for (const window of popularWindows) {
    for (const item of ranked(popularity, scopes, window)) {
      for (const scope of scopes.get(item.itemId) ?? []) {
        const key = popularKey(namespace, scope, window);
        const list = lists.get(key);
        if (list === undefined) lists.set(key, [item]);
        else if (list.length < listMax) list.push(item);
      }
    }
  }
  return lists;
}

/** Best first; equal ones by id. */
function ranked(
  popularity: ReadonlyMap<string, Popularity>,
  scopes: ReadonlyMap<string, unknown>,
  window: PopularWindow,
): PopularItem[] {
  const items: PopularItem[] = [];
  for (const itemId of scopes.keys()) {
    const counts = popularity.get(itemId);
    if (counts === undefined) continue;
    const rank = popularRank(counts, window);
    if (rank > Number.NEGATIVE_INFINITY) items.push({ itemId, rank, learners: counts.learners });
  }
  return items.sort((a, b) => b.rank - a.rank || (a.itemId < b.itemId ? -1 : 1));
}

/** In which lists each of these items may stand. Unknown and retired items stand in none. */
function scopesOf(itemIds: Iterable<string>, catalogue: Catalogue): Map<string, PopularScope[]> {
  const tracks = Array.from(catalogue.tracks.values())
    .filter((track) => !track.retired)
    .map(membership);
  const scopes = new Map<string, PopularScope[]>();
  for (const itemId of itemIds) {
    const item = catalogue.items.get(itemId);
    if (item === undefined || item.retired) continue;
    const all: PopularScope[] = ["all"];
    for (const skillId of new Set(item.skillIds)) all.push(`skill:${skillId}`);
    for (const { trackId, holds } of tracks) if (holds(itemId, item.skillIds)) all.push(`track:${trackId}`);
    scopes.set(itemId, all);
  }
  return scopes;
}

function membership(track: Track): { trackId: string; holds(itemId: string, skillIds: readonly string[]): boolean } {
  const items = new Set([...track.itemIds, ...track.pinnedItemIds]);
  const skills = new Set(track.skillIds);
  const barred = new Set(track.barredItemIds);
  const holdsAll = track.itemIds.length === 0 && track.skillIds.length === 0;
  return {
    trackId: track.trackId,
    holds: (itemId, skillIds) =>
      !barred.has(itemId) && (holdsAll || items.has(itemId) || skillIds.some((id) => skills.has(id))),
  };
}
