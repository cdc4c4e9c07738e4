import type { ItemBank } from "../../domain/item-selection/selection.ts";
import type { Feed } from "../../ports/feed.ts";
import type { Context } from "../../projections/context.ts";

/** A track's bank as it was. */
export interface PastBanks {
  /** null where there was no such track, or it was retired. */
  at(position: number): Promise<ItemBank | null>;
}

const pageSize = 1_000;
/** Banks kept; asked for in log order, few are asked for again. */
const banksMax = 4;

/** Reads where the catalogue changed, once: between two changes a bank stays as it is. */
export async function createPastBanks(
  feed: Pick<Feed, "read">,
  context: Context,
  trackId: string,
  to: number,
): Promise<PastBanks> {
  const changes: number[] = [];
  for (let position = 0, atHead = false; !atHead && position < to; ) {
    const page = await feed.read(position, pageSize, { categories: ["item", "skill", "track"] });
    for (const event of page.events) if (event.position <= to) changes.push(event.position);
    ({ position, atHead } = page);
  }
  const banks = new Map<number, ItemBank | null>();
  return {
    async at(position) {
      const epoch = lastUpTo(changes, position);
      const known = banks.get(epoch);
      if (known !== undefined) return known;
      const bank = (await context.banksAt(epoch))(trackId);
      banks.set(epoch, bank);
      const oldest = banks.keys().next();
      if (banks.size > banksMax && oldest.done !== true) banks.delete(oldest.value);
      return bank;
    },
  };
}

/** The last of the rising numbers that is not above the limit; 0 where none is. */
function lastUpTo(numbers: readonly number[], limit: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return numbers[low - 1] ?? 0;
}
