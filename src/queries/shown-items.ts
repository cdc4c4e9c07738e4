import type { SelectedItem } from "../domain/item-selection/selection.ts";
import { type ItemJson, type ItemPiece, sharesJson, tenThousandthsJson } from "./item-json.ts";
import { type Piece, Pieces } from "./pieces.ts";

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

/** The first three places of a number below 1, and the last three of six without the zeros at their end. */
const firstPlaces = Array.from({ length: 1_000 }, (_, places) => `0.${String(places).padStart(3, "0")}`);
const lastPlaces = Array.from({ length: 1_000 }, (_, places) => String(places).padStart(3, "0").replace(/0+$/, ""));

/** Six places: too many to remember each, as {@link sharesJson} does. */
function millionthsJson(number: number): string {
  if (!(number > 0 && number < 1e6) || number % 1_000 === 0) return String(number / 1e6);
  return `${firstPlaces[Math.floor(number / 1_000)]}${lastPlaces[number % 1_000]}`;
}

/** As JavaScript writes it. */
export function propensityJson(propensity: number): string {
  const number = Math.round(propensity * 1e6);
  return number / 1e6 === propensity ? millionthsJson(number) : String(propensity);
}
