import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { ItemOrder } from "../learner-model/item-order.ts";
import { type ItemsSeen, never } from "./items-seen.ts";
import type { LearnerState } from "./learner-state.ts";

/** The order of storage: items that were answered, viewed or skipped, the last one first; then those that only a hint was asked for, by id. */
export function itemOrder({ ids, lastNumbers, items }: Pick<LearnerState, "ids" | "lastNumbers" | "items">): ItemOrder {
  const count = ids.items.list.length;
  const numbers = new Array<number>(count);
  const places = new Array<number>(count).fill(-1);
  const at = new Array<number>(count);
  for (let place = 0; place < lastNumbers.length; place++) {
    const number = lastNumbers[place] as number;
    numbers[place] = number;
    places[number] = place;
  }
  if (lastNumbers.length < count) {
    const rest: number[] = [];
    for (let number = 0; number < count; number++) if ((places[number] as number) < 0) rest.push(number);
    const idOf = (number: number): string => ids.items.list[number] as string;
    rest.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
    for (let k = 0; k < rest.length; k++) {
      const number = rest[k] as number;
      numbers[lastNumbers.length + k] = number;
      places[number] = lastNumbers.length + k;
    }
  }
  for (let place = 0; place < count; place++) {
    const engagedAt = items.engagedAt[numbers[place] as number] as number;
    at[place] = engagedAt === never ? 0 : engagedAt;
  }
  return { numbers, places, at };
}

/** Each by how long before that of the place before it was, mostly a few seconds; `now`: seconds, near the first. */
export function writeTimes({ at }: ItemOrder, now: number, writer: ByteWriter): void {
  const without: number[] = [];
  const values = writer.gather(at.length);
  let count = 0;
  let before = now;
  for (let place = 0; place < at.length; place++) {
    const time = at[place] as number;
    if (time === 0) {
      without.push(place);
    } else {
      values[count++] = before - time;
      before = time;
    }
  }
  writer.uint(without.length);
  writer.column(without, without.length);
  writer.column(values, count);
}

/** By place; 0 for never. */
export function readTimes(reader: ByteReader, count: number, now: number): number[] {
  const without = reader.uint();
  if (without > count) reader.refuse(`lacks the times of ${without} of ${count} items`);
  const gaps = new Set(reader.column(without));
  const steps = reader.column(count - without);
  const at = new Array<number>(count);
  let before = now;
  for (let place = 0, k = 0; place < count; place++) {
    if (gaps.has(place)) {
      at[place] = 0;
    } else {
      before -= steps[k++] ?? reader.refuse("lacks a time of an item");
      at[place] = before;
    }
  }
  return at;
}

/** Answers, beside those that the model counts, and which items a hint was asked for since the last one. */
export function writeAnswers(
  { answers }: ItemsSeen,
  { numbers }: ItemOrder,
  attemptsAt: (item: number) => number,
  writer: ByteWriter,
): void {
  const values = writer.gather(numbers.length);
  const hinted: number[] = [];
  for (let place = 0; place < numbers.length; place++) {
    const number = numbers[place] as number;
    const coded = answers[number] as number;
    values[place] = (coded >> 1) - attemptsAt(number);
    if (coded % 2 === 1) hinted.push(place);
  }
  writer.column(values, numbers.length);
  writer.uint(hinted.length);
  writer.column(hinted, hinted.length);
}

export function readItems(reader: ByteReader, at: readonly number[], attemptsAt: (item: number) => number): ItemsSeen {
  const answers = reader.column(at.length);
  for (let place = 0; place < at.length; place++) {
    answers[place] = 2 * ((answers[place] as number) + attemptsAt(place));
  }
  for (const place of reader.column(reader.uint())) {
    answers[place] = (answers[place] ?? reader.refuse("has a hint on an item that is not there")) + 1;
  }
  const engagedAt = at.map((time) => (time === 0 ? never : time));
  return { engagedAt, answers };
}
