import type { Catalogue } from "../domain/item-bank/catalogue.ts";
import type { ItemBank } from "../domain/item-selection/selection.ts";

/** The catalogue as this process has folded it from the log. */
export interface CatalogueReader {
  /** Owned by its follower; readers must not change it. */
  readonly catalogue: Catalogue;
  /** Grows with each change: a cache of anything derived from the catalogue is good while this stays the same. */
  readonly version: number;
  /** The index of a track (null: of all items); null where there is no such track, or it is retired. Cached. */
  bank(trackId: string | null): ItemBank | null;
  /** Resolves when everything that stands in the log now has been folded in. */
  catchUp(): Promise<void>;
}
