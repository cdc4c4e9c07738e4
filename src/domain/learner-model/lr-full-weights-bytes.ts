import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import { itemFullWidth, type LrFullWeights, lrFullName, sharedFullWidth } from "./lr-full-types.ts";
import { itemWidth, skillWidth } from "./lr-types.ts";
import { PairWeights, slots } from "./pair-slots.ts";
import { firstSquares, type Numbers, numbersOfWeight, WeightTable } from "./weight.ts";
import { decodeWeightsFile, encodeWeightsFile } from "./weights-bytes.ts";

/**
 * exact: every number, to go on training from. published: for readers. What an item has beyond its easiness, and the
 * pairs, are rounded to 1/512 logit and lose their squares; a pair that rounds to 0 is left out.
 */
type Form = "exact" | "published";
const formats: Readonly<Record<Form, number>> = { exact: 1, published: 2 };
const roundedParts = 512;

/** Shared weights as doubles; what there are many of is packed: skills, items, and the pairs that were met. */
export function encodeLrFull({ shared, items, skills, pairs }: LrFullWeights, form: Form): Uint8Array {
  const writer = new ByteWriter(formats[form]);
  writer.floats(skills.rowNumbers());
  if (form === "exact") {
    writer.floats(items.rowNumbers());
    writePairs(pairs, writer);
  } else {
    writeRoundedItems(items.rowNumbers(), writer);
    writeRoundedPairs(pairs, writer);
  }
  const ids = { items: items.ids(), skills: skills.ids() };
  return encodeWeightsFile({ model: lrFullName, ids, numbers: shared, packed: writer.finish() });
}

/** Throws on bytes that {@link encodeLrFull} did not write. */
export function decodeLrFull(bytes: Uint8Array): LrFullWeights {
  const { ids, numbers: shared, packed } = decodeWeightsFile(bytes, lrFullName);
  const reader = new ByteReader(packed ?? new Uint8Array(), `weights of ${lrFullName}`);
  if (shared.length !== numbersOfWeight * sharedFullWidth) reader.refuse("have another number of shared weights");
  if (!Object.values(formats).includes(reader.format)) reader.refuse(`are of format ${reader.format}`);
  const { items: itemIds = [], skills: skillIds = [] } = ids;
  const skills = new WeightTable(skillWidth, reader.floats(numbersOfWeight * skillWidth * skillIds.length), skillIds);
  const exact = reader.format === formats.exact;
  const itemNumbers = exact ? reader.floats(rowLength * itemIds.length) : readRoundedItems(reader, itemIds.length);
  const items = new WeightTable(itemFullWidth, itemNumbers, itemIds);
  const pairs = exact ? readPairs(reader) : readRoundedPairs(reader);
  reader.end();
  return { shared, items, skills, pairs };
}

const rowLength = numbersOfWeight * itemFullWidth;
const exactLength = numbersOfWeight * itemWidth;
const rounded = (value: number): number => Math.round(value * roundedParts);

function writeRoundedItems(numbers: Numbers, writer: ByteWriter): void {
  const exact = new Float32Array((numbers.length / rowLength) * exactLength);
  for (let row = 0, to = 0; row < numbers.length; row += rowLength, to += exactLength) {
    exact.set(numbers.subarray(row, row + exactLength), to);
  }
  writer.floats(exact);
  for (let row = 0; row < numbers.length; row += rowLength) {
    for (let at = exactLength; at < rowLength; at += numbersOfWeight) writer.int(rounded(numbers[row + at] as number));
  }
}

function readRoundedItems(reader: ByteReader, count: number): Float32Array {
  const exact = reader.floats(exactLength * count);
  const numbers = new Float32Array(rowLength * count);
  for (let row = 0, from = 0; row < numbers.length; row += rowLength, from += exactLength) {
    numbers.set(exact.subarray(from, from + exactLength), row);
    for (let at = exactLength; at < rowLength; at += numbersOfWeight) {
      numbers[row + at] = reader.int() / roundedParts;
      numbers[row + at + 1] = firstSquares;
    }
  }
  return numbers;
}

/** Slots in use, each told by how far it is after the one before, then value and squares of each. */
function writePairs(pairs: PairWeights, writer: ByteWriter): void {
  const used = pairs.slotsWhere((_, squares) => squares !== 0);
  writeGaps(used, writer);
  const numbers = new Float32Array(2 * used.length);
  for (const [k, slot] of used.entries()) {
    numbers[2 * k] = pairs.value(slot);
    numbers[2 * k + 1] = pairs.squares(slot);
  }
  writer.floats(numbers);
}

function readPairs(reader: ByteReader): PairWeights {
  const used = readGaps(reader);
  const numbers = reader.floats(2 * used.length);
  const pairs = new PairWeights();
  for (const [k, slot] of used.entries()) pairs.set(slot, numbers[2 * k] as number, numbers[2 * k + 1] as number);
  return pairs;
}

function writeRoundedPairs(pairs: PairWeights, writer: ByteWriter): void {
  const used = pairs.slotsWhere((value) => rounded(value) !== 0);
  writeGaps(used, writer);
  for (const slot of used) writer.int(rounded(pairs.value(slot)));
}

function readRoundedPairs(reader: ByteReader): PairWeights {
  const values = new Float32Array(slots);
  for (const slot of readGaps(reader)) values[slot] = reader.int() / roundedParts;
  return PairWeights.ofValues(values);
}

function writeGaps(used: readonly number[], writer: ByteWriter): void {
  writer.uint(used.length);
  let last = -1;
  for (const slot of used) {
    writer.uint(slot - last - 1);
    last = slot;
  }
}

function readGaps(reader: ByteReader): number[] {
  const gaps = reader.uints(reader.uint());
  let last = -1;
  const used = gaps.map((gap) => (last += gap + 1));
  if (last >= slots) reader.refuse(`name a pair ${last} of ${slots}`);
  return used;
}
