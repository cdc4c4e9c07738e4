import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/** What ids that end in a number have in common: "item-" of item-7, or "q" with three digits of q007. */
interface Shape {
  /** Which of those that are kept; null for another. */
  readonly place: number | null;
  readonly prefix: string;
  /** Digits, with zeros in front; 0 where no zero stands in front. */
  readonly width: number;
  /** Ids of this shape by their number, made before: to make a string takes longer than to find it. */
  readonly ids: string[];
}

/** More than these are written as text. */
const shapesMax = 64;
const prefixMax = 24;
const digitsMax = 9;

const text = 0;
const firstShape = 1;

/** Shapes in use anywhere in this process, by prefix, and how many numbers of each are kept ready. */
const everywhere = new Map<string, Shape[]>();
const everywhereMax = 256;
let shapesKept = 0;
const numbersMax = 1 << 16;
/** In place of the key of an id that has none. */
export const noKey = -1;

/** Of the ids that are written or read just now: one after the other of one kind are a run. */
const kinds: number[] = [];
const lengths: number[] = [];
const numbers: number[] = [];

/**
 * Writes ids, in the given order of their places where there is one. Those of a catalogue mostly end in a number behind one
 * of a few beginnings: such a beginning is written once, and the numbers stand together in as few bits as they need, a byte
 * or two instead of nine of "item-123". Other ids are written as text.
 */
export function writeIds(ids: readonly string[], writer: ByteWriter, order: readonly number[] | null = null): void {
  const shapes: Shape[] = [];
  const idAt = (k: number): string => ids[order === null ? k : (order[k] as number)] as string;
  let runs = 0;
  let numbered = 0;
  let last: Shape | null = null;
  for (let k = 0; k < ids.length; k++) {
    const id = idAt(k);
    const digits = trailingDigits(id);
    last = digits === 0 ? null : shapeFor(id, digits, last, shapes);
    if (last !== null) numbers[numbered++] = numberAtEnd(id, digits);
    const kind = last === null ? text : firstShape + shapes.indexOf(last);
    if (runs > 0 && kinds[runs - 1] === kind) {
      lengths[runs - 1] = (lengths[runs - 1] as number) + 1;
    } else {
      kinds[runs] = kind;
      lengths[runs++] = 0;
    }
  }
  writer.uint(ids.length);
  writer.uint(shapes.length);
  for (const { prefix, width } of shapes) {
    writer.text(prefix);
    writer.uint(width);
  }
  writer.uint(runs);
  writer.column(kinds, runs);
  writer.column(lengths, runs);
  writer.column(numbers, numbered);
  if (numbered === ids.length) return;
  for (let run = 0, k = 0; run < runs; run++) {
    const end = k + (lengths[run] as number) + 1;
    if (kinds[run] === text) for (; k < end; k++) writer.text(idAt(k));
    k = end;
  }
}

/** What {@link writeIds} wrote, in that order; of those the `first` so many. */
export function readIds(reader: ByteReader, first = Number.POSITIVE_INFINITY): string[] {
  return readCountedIds(reader, reader.uint(), first);
}

/**
 * The same, where who reads has read how many there are. Into `keys` comes what stands for each id as long as this process lives, {@link noKey}
 * for some: a whole number, so that what is known of an id is found in a tenth of the time in which a text is.
 */
export function readCountedIds(reader: ByteReader, count: number, first: number, keys: number[] = []): string[] {
  const shapes: Shape[] = [];
  for (let left = reader.uint(); left > 0; left--) shapes.push(shapeOf(reader.text(), reader.uint()));
  const runs = reader.uint();
  const kindsRead = reader.column(runs, kinds);
  const lengthsRead = reader.column(runs, lengths);
  let texts = 0;
  let all = 0;
  for (let run = 0; run < runs; run++) {
    const length = (lengthsRead[run] as number) + 1;
    all += length;
    if (kindsRead[run] === text) texts += length;
  }
  if (all !== count) reader.refuse(`has ${count} ids in runs of ${all}`);
  const numbersRead = reader.column(count - texts, numbers, first);
  const ids: string[] = [];
  let next = 0;
  for (let run = 0; run < runs; run++) {
    const kind = kindsRead[run] as number;
    const shape = shapes[kind - firstShape];
    if (kind !== text && shape === undefined) reader.refuse("names an unknown beginning of an id");
    for (let left = (lengthsRead[run] as number) + 1; left > 0; left--) {
      if (ids.length >= first) {
        if (shape !== undefined) break;
        reader.text();
      } else if (shape === undefined) {
        keys[ids.length] = noKey;
        ids.push(reader.text());
      } else {
        const number = numbersRead[next++] as number;
        keys[ids.length] = keyOf(shape, number);
        ids.push(idOf(shape, number));
      }
    }
  }
  return ids;
}

const zero = 48;
const nine = 57;

/** How many digits it ends in, of those that are counted. */
function trailingDigits(id: string): number {
  let digits = 0;
  while (digits < digitsMax && digits < id.length) {
    const code = id.charCodeAt(id.length - 1 - digits);
    if (code < zero || code > nine) break;
    digits += 1;
  }
  return digits;
}

function numberAtEnd(id: string, digits: number): number {
  let number = 0;
  for (let at = id.length - digits; at < id.length; at++) number = 10 * number + id.charCodeAt(at) - zero;
  return number;
}

const fits = (shape: Shape, id: string, before: number, width: number): boolean =>
  shape.width === width && shape.prefix.length === before && id.startsWith(shape.prefix);

/** The shape of an id among those in use, mostly that of the id before, or a new one; null where it is to be text. */
function shapeFor(id: string, digits: number, last: Shape | null, shapes: Shape[]): Shape | null {
  const before = id.length - digits;
  const width = digits > 1 && id.charCodeAt(before) === zero ? digits : 0;
  if (last !== null && fits(last, id, before, width)) return last;
  for (let k = 0; k < shapes.length; k++) {
    if (fits(shapes[k] as Shape, id, before, width)) return shapes[k] as Shape;
  }
  if (before > prefixMax || shapes.length === shapesMax) return null;
  const made = shapeOf(id.slice(0, before), width);
  shapes.push(made);
  return made;
}

function shapeOf(prefix: string, width: number): Shape {
  const known = everywhere.get(prefix);
  if (known !== undefined) for (const shape of known) if (shape.width === width) return shape;
  const isKept = shapesKept < everywhereMax;
  const shape: Shape = { place: isKept ? shapesKept++ : null, prefix, width, ids: [] };
  if (!isKept) return shape;
  if (known !== undefined) known.push(shape);
  else everywhere.set(prefix, [shape]);
  return shape;
}

const keyOf = ({ place }: Shape, number: number): number =>
  place === null || number >= numbersMax ? noKey : place * numbersMax + number;

function idOf({ prefix, width, ids }: Shape, number: number): string {
  const known = ids[number];
  if (known !== undefined) return known;
  const id = prefix + (width === 0 ? number : String(number).padStart(width, "0"));
  if (number < numbersMax) ids[number] = id;
  return id;
}
