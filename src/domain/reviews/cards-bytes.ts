import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { Practice } from "../learner-model/item-order.ts";
import { type Card, difficultyUnit, durationUnitMs, stabilityUnit } from "./cards.ts";

/** What is known besides of the skill or item at each place: a card mostly was reviewed as often, as well and as lately. */
export type PracticeAt = (place: number) => Practice | undefined;

/**
 * Columns over the cards there are of skills or of items. `numbers`: at each place the number whose card it is; `now`:
 * seconds since 1970, near the last reviews.
 */
export function writeCards(
  cards: readonly (Card | null)[],
  numbers: readonly number[],
  { now, practice }: { readonly now: number; readonly practice: PracticeAt },
  writer: ByteWriter,
): void {
  const places: number[] = [];
  for (let place = 0; place < numbers.length; place++) if (cards[numbers[place] as number]) places.push(place);
  const count = places.length;
  writer.uint(count);
  if (count === 0) return;
  const values = writer.gather(count);
  if (count < numbers.length) {
    for (let k = 0; k < count; k++) values[k] = (places[k] as number) - (k === 0 ? 0 : (places[k - 1] as number));
    writer.column(values, count);
  }
  const practised = places.map(practice);
  for (let field = 0; field < fields; field++) {
    const unit = unitOf[field] as number;
    for (let k = 0; k < count; k++) {
      const card = cards[numbers[places[k] as number] as number] as Card;
      values[k] = Math.round((card[field] as number) * unit) - expected(field, practised[k], now);
    }
    writer.column(values, count);
  }
}

export function readCards(
  reader: ByteReader,
  places: number,
  { now, practice }: { readonly now: number; readonly practice: PracticeAt },
): (Card | null)[] {
  const cards: (Card | null)[] = [];
  const count = reader.uint();
  if (count === 0) return cards;
  if (count > places) reader.refuse(`has ${count} cards in ${places} places`);
  const steps = count < places ? reader.column(count) : null;
  for (let k = 0, place = 0; k < count; k++) {
    place = steps === null ? k : place + (steps[k] as number);
    if (place < cards.length || place >= places) reader.refuse(`has a card at place ${place} of ${places}`);
    while (cards.length < place) cards.push(null);
    cards.push([0, 0, 0, 0, 0, 0, 0, 0]);
  }
  for (let field = 0; field < fields; field++) {
    const values = reader.column(count, filled);
    for (let place = 0, k = 0; place < cards.length; place++) {
      const card = cards[place] as Card | null;
      if (card === null) continue;
      const value = (values[k++] as number) + expected(field, practice(place), now);
      card[field] = value / (unitOf[field] as number);
    }
  }
  return cards;
}

/** By one reader after the other. */
const filled: number[] = [];
const fields = 8;
/** By the field of a card: what makes a whole number of it. */
const unitOf = [1, 1, stabilityUnit, difficultyUnit, 1, 1, 1 / durationUnitMs, 1];

/** What a field of a card mostly is, in whole numbers, given what else is known. */
function expected(field: number, practice: Practice | undefined, now: number): number {
  if (field === lastReview) return practice?.at || now;
  if (field === difficulty) return difficultyMax;
  if (practice === undefined) return 0;
  if (field === reviews) return practice.attempts;
  return field === lapses ? practice.attempts - practice.wins : 0;
}
const lastReview = 0;
const difficulty = 3;
const difficultyMax = 10 * difficultyUnit;
const reviews = 4;
const lapses = 5;
