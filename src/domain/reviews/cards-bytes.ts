import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { LearnerIds } from "../learner-model/ids.ts";
import { type Card, type Cards, newCards } from "./cards.ts";

/** Stabilities and difficulties are multiples of 1 / this (cards.ts), so that whole numbers hold them to the last bit. */
const unit = 10_000;

/** `at`: milliseconds since 1970, near the cards' last reviews: times are told as what they are before it. */
export function writeCards(cards: Cards, writer: ByteWriter, at: number): void {
  const now = Math.floor(at / 1000);
  for (const all of [cards.skills, cards.items]) {
    let kept = 0;
    for (let number = 0; number < all.length; number++) if (all[number] !== null) kept++;
    writer.uint(kept);
    for (let number = 0; number < all.length; number++) {
      const card = all[number];
      if (card === null || card === undefined) continue;
      writer.uint(number);
      writeCard(card, now, writer);
    }
  }
}

// By index: to take an array apart makes an iterator, and there are dozens of cards in each state.
function writeCard(card: Card, now: number, writer: ByteWriter): void {
  writer.int(now - card[0]);
  // Odd: a step follows.
  writer.uint(2 * card[1] + (card[7] === 0 ? 0 : 1));
  if (card[7] > 0) writer.uint(card[7]);
  writer.uint(Math.round(card[2] * unit));
  writer.uint(Math.round(card[3] * unit));
  writer.uint(card[4]);
  writer.uint(card[5]);
  writer.uint(card[6]);
}

export function readCards(reader: ByteReader, ids: LearnerIds, at: number): Cards {
  const now = Math.floor(at / 1000);
  const cards = newCards(ids);
  for (const kind of ["skills", "items"] as const) {
    const all = cards[kind];
    for (let left = reader.uint(); left > 0; left--) {
      const number = reader.uint();
      if (number < all.length || number >= ids[kind].list.length)
        reader.refuse(`has a card of number ${number} of ${kind}`);
      while (all.length < number) all.push(null);
      all.push(readCard(reader, now));
    }
  }
  return cards;
}

function readCard(reader: ByteReader, now: number): Card {
  const last = now - reader.int();
  const coded = reader.uint();
  const step = coded % 2 === 0 ? 0 : reader.uint();
  const stability = reader.uint() / unit;
  const wait = Math.floor(coded / 2);
  return [last, wait, stability, reader.uint() / unit, reader.uint(), reader.uint(), reader.uint(), step];
}
