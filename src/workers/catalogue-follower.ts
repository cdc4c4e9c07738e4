import { decodeEvent } from "../domain/decode-event.ts";
import { buildBank } from "../domain/item-bank/bank.ts";
import { type Catalogue, emptyCatalogue, evolveCatalogue, skipUnreadable } from "../domain/item-bank/catalogue.ts";
import type { ItemBank } from "../domain/item-selection/selection.ts";
import type { StoredEvent } from "../domain/stored-event.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { Feed, FeedPage } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";
import { type RunningProjection, runProjection } from "../projections/run-projection.ts";
import { unhurried, unhurriedMs } from "./unhurried.ts";

export interface CatalogueFollower extends CatalogueReader {
  /** Resolves once the whole catalogue has been read; rejects when stopped before that. Idempotent. */
  start(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
  /** Of the log: everything up to here has been folded in. */
  position(): number;
  /** Events of the catalogue that could not be read and were passed over. */
  unreadable(): number;
}

/** Tracks whose index is kept between two changes of the catalogue. */
const banksMax = 100;

/**
 * Folds the item, skill and track streams in memory, and follows them. An event that cannot be read is counted, logged
 * with its position, and passed over: its entry stays as it was.
 */
export function createCatalogueFollower(deps: {
  readonly feed: Feed;
  readonly log: Log;
  /** Least time between two looks at the log, unless someone waits to catch up. */
  readonly pauseMs?: number;
  /** First pause after an error, milliseconds. */
  readonly retryMs?: number;
}): CatalogueFollower {
  const { log } = deps;
  const catalogue = emptyCatalogue();
  const banks = createBanks(catalogue);
  let position = 0;
  let version = 0;
  let unreadable = 0;
  let loop: RunningProjection | null = null;
  let stopped: Promise<void> | null = null;

  function fold(stored: StoredEvent): boolean {
    try {
      return evolveCatalogue(catalogue, decodeEvent(stored));
    } catch (err) {
      unreadable += 1;
      skipUnreadable(catalogue, stored);
      log.error({ err, position: stored.position, stream: stored.stream }, "catalogue event passed over");
      return false;
    }
  }

  async function handle(page: FeedPage): Promise<number> {
    let changed = false;
    for (const stored of page.events) changed = fold(stored) || changed;
    if (changed) version += 1;
    position = page.position;
    return position;
  }

  function run(): RunningProjection {
    if (stopped !== null) throw new Error("the catalogue follower was stopped");
    loop ??= runProjection({
      name: "catalogue",
      feed: unhurried(deps.feed, deps.pauseMs ?? unhurriedMs),
      filter: { categories: ["item", "skill", "track"] },
      batchSize: 1_000,
      load: async () => position,
      handle,
      log,
      ...(deps.retryMs === undefined ? {} : { retryMs: deps.retryMs }),
    });
    return loop;
  }

  const caughtUp = async (): Promise<void> => run().caughtUp();
  return {
    catalogue,
    get version() {
      return version;
    },
    bank: (trackId) => banks(trackId, version),
    catchUp: caughtUp,
    start: caughtUp,
    stop: () => (stopped ??= loop?.stop() ?? Promise.resolve()),
    position: () => position,
    unreadable: () => unreadable,
  };
}

/** Indexes of tracks, built when first asked for after a change; the longest unused goes first. */
function createBanks(catalogue: Catalogue): (trackId: string | null, version: number) => ItemBank | null {
  const banks = new Map<string | null, ItemBank>();
  let builtAt = 0;
  return (trackId, version) => {
    if (builtAt !== version) banks.clear();
    builtAt = version;
    const known = banks.get(trackId);
    // Each answer asks: which was used last matters only where there is no room for all.
    if (known !== undefined && banks.size < banksMax) return known;
    const bank = known ?? buildBank(catalogue, trackId);
    // Ids of tracks that do not exist come from outside, without number: they are not kept.
    if (bank === null) return null;
    banks.delete(trackId);
    banks.set(trackId, bank);
    const oldest = banks.keys().next();
    if (banks.size > banksMax && oldest.done !== true) banks.delete(oldest.value);
    return bank;
  };
}
