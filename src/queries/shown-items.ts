import type { SelectedItem } from "../domain/item-selection/selection.ts";
import type { ItemJson, ItemPiece } from "./item-json.ts";
import { type Piece, Pieces } from "./pieces.ts";
import { millionthsJson, propensityJson, sharesJson, tenThousandthsJson } from "./short-numbers.ts";

/** The items of an answer in words, in the order in which they are added. */
export class ShownItems {
  readonly json = new Pieces();
  /** Of the id of each. */
  readonly idSums: number[] = [];

  add(item: ItemPiece, numbers: string, reason: Piece): void {
    this.json.add(this.idSums.length === 0 ? item.first : item);
    this.idSums.push(item.idSum);
    this.json.constant(numbers);
    this.json.add(reason);
  }
}

const pJson = sharesJson("", ',"score":');
const scoreJson = sharesJson("", ',"propensity":');

/** Items that were selected; one that `itemJson` does not know is left out. */
export function shownOf(items: readonly SelectedItem[], itemJson: ItemJson): ShownItems {
  const shown = new ShownItems();
  for (const { itemId, p, score, propensity, reason } of items) {
    const item = itemJson.of(itemId);
    if (item === null) continue;
    shown.add(item, pJson(p) + scoreJson(score) + propensityJson(propensity), itemJson.reason(reason));
    shown.json.said(p, score, propensity);
  }
  return shown;
}

const storedPJson = tenThousandthsJson("", ',"score":');
const storedScoreJson = tenThousandthsJson("", ',"propensity":');

/** Of an item as it is stored: p and score in ten-thousandths, the propensity in millionths. */
export const storedNumbers = (p: number, score: number, propensity: number): string =>
  storedPJson(p) + storedScoreJson(score) + millionthsJson(propensity);
