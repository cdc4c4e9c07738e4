import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";

/** What ids that end in a number have in common: "item-" of item-7, or "q" with three digits of q007. */
interface Shape {
  readonly prefix: string;
  /** Digits, with zeros in front; 0 where no zero stands in front. */
  readonly width: number;
  /** Ids of this shape by their number, made before: to make a string takes longer than to find it. */
  readonly ids: string[];
}

/** More than these are written as text. */
const shapesMax = 16;
const prefixMax = 24;
const digitsMax = 9;

const text = 0;
const newShape = 1;
const firstShape = 2;

/** Shapes in use anywhere in this process, and how many numbers of each are kept ready. */
const everywhere = new Map<string, Shape>();
const everywhereMax = 256;
const numbersMax = 1 << 16;

/**
 * Writes ids one after the other. Those of a catalogue mostly end in a number behind one of a few beginnings: such a
 * beginning is written once, and then a byte and the number, three bytes in all instead of nine of "item-123". Other ids
 * are written as text.
 */
export class IdShapes {
  readonly #shapes: Shape[];

  constructor(shapes: Shape[] = []) {
    this.#shapes = shapes;
  }

  copy(): IdShapes {
    return new IdShapes([...this.#shapes]);
  }

  write(id: string, writer: ByteWriter): void {
    const digits = trailingDigits(id);
    const prefix = id.slice(0, id.length - digits);
    const width = digits > 1 && id.charCodeAt(id.length - digits) === zero ? digits : 0;
    const known =
      digits === 0 ? -1 : this.#shapes.findIndex((shape) => shape.width === width && shape.prefix === prefix);
    if (known < 0 && (digits === 0 || prefix.length > prefixMax || this.#shapes.length === shapesMax)) {
      writer.uint(text);
      writer.text(id);
      return;
    }
    if (known >= 0) writer.uint(firstShape + known);
    else {
      writer.uint(newShape);
      writer.text(prefix);
      writer.uint(width);
      this.#shapes.push(shapeOf(prefix, width));
    }
    writer.uint(Number(id.slice(id.length - digits)));
  }

  read(reader: ByteReader): string {
    const kind = reader.uint();
    if (kind === text) return reader.text();
    if (kind === newShape) this.#shapes.push(shapeOf(reader.text(), reader.uint()));
    const shape = kind === newShape ? this.#shapes.at(-1) : this.#shapes[kind - firstShape];
    return shape === undefined ? reader.refuse("names an unknown beginning of an id") : idOf(shape, reader.uint());
  }
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

function shapeOf(prefix: string, width: number): Shape {
  const name = `${width} ${prefix}`;
  const known = everywhere.get(name);
  if (known !== undefined) return known;
  const shape: Shape = { prefix, width, ids: [] };
  if (everywhere.size < everywhereMax) everywhere.set(name, shape);
  return shape;
}

function idOf({ prefix, width, ids }: Shape, number: number): string {
  const known = ids[number];
  if (known !== undefined) return known;
  const id = prefix + (width === 0 ? number : String(number).padStart(width, "0"));
  if (number < numbersMax) ids[number] = id;
  return id;
}
