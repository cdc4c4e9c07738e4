import type { Catalogue } from "../domain/item-bank/catalogue.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";

/** What items, skills and tracks have in common. */
export interface Listed {
  readonly title: string;
  readonly revision: number;
  readonly retired: boolean;
}

export interface CataloguePage {
  /** Of all pages together. */
  readonly total: number;
  readonly entries: readonly Listed[];
  readonly nextCursor: string | null;
}

export interface CataloguePageRequest {
  readonly count: number;
  /** The last id of the page before. */
  readonly cursor: string | null;
  readonly withRetired: boolean;
}

/** Pages of one kind of entry in order of id; the order is made once for each version of the catalogue. */
export function createCatalogueList(
  reader: CatalogueReader,
  entriesOf: (catalogue: Catalogue) => ReadonlyMap<string, Listed>,
): (request: CataloguePageRequest) => CataloguePage {
  let version = -1;
  let all: string[] = [];
  let current: string[] = [];

  function order(): void {
    const entries = entriesOf(reader.catalogue);
    all = [...entries.keys()].sort();
    current = all.filter((id) => entries.get(id)?.retired === false);
    version = reader.version;
  }

  return ({ count, cursor, withRetired }) => {
    if (version !== reader.version) order();
    const ids = withRetired ? all : current;
    const start = cursor === null ? 0 : firstAfter(ids, cursor);
    const page = ids.slice(start, start + count);
    const entries = entriesOf(reader.catalogue);
    const more = start + count < ids.length;
    return {
      total: ids.length,
      entries: page.flatMap((id) => entries.get(id) ?? []),
      nextCursor: more ? (page[page.length - 1] ?? null) : null,
    };
  };
}

/** Index of the first id after the cursor, by halving. */
function firstAfter(ids: readonly string[], cursor: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] ?? "") <= cursor) low = middle + 1;
    else high = middle;
  }
  return low;
}
