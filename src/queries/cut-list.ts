import type { ItemBank, SelectedItem } from "../domain/item-selection/selection.ts";
import type { NextList } from "../projections/next-items.ts";
import type { NextRequest } from "./next-request.ts";

/**
 * The first `count` items that are still offered and wanted. null where too few are left and a selection could find
 * more: a list shorter than `fullSize` that lost nothing holds all there is. Without a `fullSize` few are as good as many.
 */
export function cut(
  list: NextList,
  bank: ItemBank | null,
  { count, exclude, skillIds }: NextRequest,
  fullSize: number | null,
): SelectedItem[] | null {
  const items: SelectedItem[] = [];
  for (const item of list.items) {
    const known = bank?.items.get(item.itemId);
    if (known === undefined || exclude.has(item.itemId)) continue;
    if (skillIds !== null && !known.skillIds.some((id) => skillIds.includes(id))) continue;
    items.push(item);
    if (items.length === count) return items;
  }
  const complete = fullSize === null || (items.length === list.items.length && list.items.length < fullSize);
  return complete ? items : null;
}

/** Whether nothing of the list was passed over up to the last of these items, which are some of it in its order. */
export function isStartOf(list: readonly SelectedItem[], items: readonly SelectedItem[]): boolean {
  return items.length === 0 || list[items.length - 1]?.itemId === items[items.length - 1]?.itemId;
}
