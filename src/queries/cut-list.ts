import type { ItemBank } from "../domain/item-selection/selection.ts";
import type { StoredList } from "../projections/next-items.ts";
import type { ItemJson } from "./item-json.ts";
import type { NextRequest } from "./next-request.ts";
import type { Piece } from "./pieces.ts";
import { ShownItems, storedNumbers } from "./shown-items.ts";

/** Some items of a list, in its order. */
export interface Cut {
  readonly shown: ShownItems;
  /** Where they stand in the list. */
  readonly places: readonly number[];
}

/**
 * The first `count` items that are still offered and wanted, in words. null where too few are left and a selection could find
 * more: a list shorter than `fullSize` that lost nothing holds all there is. Without a `fullSize` few are as good as many.
 */
export function cut(
  { items }: StoredList,
  bank: ItemBank | null,
  { count, exclude, skillIds }: NextRequest,
  fullSize: number | null,
  itemJson: ItemJson,
): Cut | null {
  const { ids, keys, reasons, reasonOf, p, score, propensity } = items;
  const offered = bank === null ? null : itemJson.ofBank(bank);
  const shown = new ShownItems();
  const places: number[] = [];
  // The items of a list share a few reasons.
  const reasonJsons: Piece[] = [];
  for (let at = 0; at < ids.length && places.length < count; at++) {
    const itemId = ids[at] as string;
    const item = offered?.(itemId, keys[at] as number) ?? null;
    if (item === null || (exclude.size > 0 && exclude.has(itemId))) continue;
    if (skillIds !== null && !item.skillIds.some((id) => skillIds.includes(id))) continue;
    places.push(at);
    const number = reasonOf[at] as number;
    reasonJsons[number] ??= itemJson.stored(reasons, number);
    shown.add(item, storedNumbers(p[at] as number, score[at] as number, propensity[at] as number), reasonJsons[number]);
  }
  const complete = fullSize === null || (places.length === ids.length && ids.length < fullSize);
  return complete || places.length === count ? { shown, places } : null;
}

/** Whether nothing of the list was passed over up to the last of these. */
export const isStart = (places: readonly number[]): boolean =>
  places.length === 0 || places[places.length - 1] === places.length - 1;
