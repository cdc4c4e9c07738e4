import { quotientMax, riceLowMax } from "./byte-writer.ts";
import { checksum } from "./checksum.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads back what byte-writer.ts wrote; throws an Error that names `what` for bytes that it did not write. */
export class ByteReader {
  readonly format: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  /** Where the checksum begins, in bits: four bytes from any place before it can be looked at. */
  readonly #end: number;
  /** Where to read on, in bits: of a byte the lowest first. */
  #at = 8;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
    const end = bytes.length - 4;
    if (end < 1) this.refuse("is cut short");
    this.#end = 8 * end;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#view = view;
    if (view.getInt32(end, true) !== checksum(view, end)) this.refuse("is damaged: the checksum differs");
    this.format = bytes[0] as number;
  }

  uint(): number {
    const bytes = this.#bytes;
    const from = this.#wholeByte();
    const first = bytes[from] as number;
    if (first < 0x80) {
      this.#to(from + 1);
      return first;
    }
    let value = first & 0x7f;
    let at = from + 1;
    for (let worth = 0x80; ; worth *= 0x80) {
      const byte = bytes[at++] ?? this.refuse("is cut short");
      value += (byte & 0x7f) * worth;
      if (byte < 0x80) break;
      if (worth >= 2 ** 49) this.refuse("holds a number that is too long");
    }
    this.#to(at);
    return value;
  }

  /** The byte to read on from: bits that were left of the one before are passed over. */
  #wholeByte(): number {
    return (this.#at + 7) >>> 3;
  }

  #to(byte: number): void {
    this.#at = 8 * byte;
    if (this.#at > this.#end) this.refuse("is cut short");
  }

  uints(count: number): number[] {
    // Each takes a byte at the least: a length that is wrong must not ask for all memory.
    if (8 * count > this.#end - this.#at) this.refuse("is cut short");
    const values = new Array<number>(count);
    for (let k = 0; k < count; k++) values[k] = this.uint();
    return values;
  }

  int(): number {
    const value = this.uint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text(): string {
    const length = this.uint();
    const from = this.#wholeByte();
    this.#to(from + length);
    return known(this.#bytes, from, from + length);
  }

  floats(count: number): Float32Array {
    const from = this.#wholeByte();
    this.#to(from + 4 * count);
    const view = this.#view;
    const values = new Float32Array(count);
    for (let k = 0; k < count; k++) values[k] = view.getFloat32(from + 4 * k, true);
    return values;
  }

  /**
   * A column of so many numbers, see ByteWriter: in a new array, or in the first places of one that was given. Whoever needs
   * the `first` so many only is given these, and perhaps more.
   */
  column(count: number, given?: number[], first = count): number[] {
    if (count === 0) return given ?? [];
    const head = this.bits(8);
    const width = head >>> 2;
    // With no bits to a number a length that is wrong could ask for all memory.
    if (count > countMax) this.refuse("has a column that is too long");
    const wanted = Math.min(first, count);
    const values = given ?? new Array<number>(wanted);
    if ((head & 2) !== 0) this.#rices(values, count, width);
    else if (width === 0) for (let k = 0; k < wanted; k++) values[k] = 0;
    else if (width <= 24) this.#packed(values, wanted, width);
    else for (let k = 0; k < wanted; k++) values[k] = this.bits(width);
    if ((head & 2) === 0 && wanted < count) this.#pass((count - wanted) * width);
    if ((head & 1) !== 0) {
      for (let k = 0; k < wanted; k++) {
        const value = values[k] as number;
        values[k] = value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
    }
    return values;
  }

  /** These are read: where they begin. */
  #pass(bits: number): number {
    const from = this.#at;
    this.#at = from + bits;
    if (this.#at > this.#end) this.refuse("is cut short");
    return from;
  }

  /** The loops that most of a column's time is spent in: a number is found where it stands, without looking at each byte. */
  #packed(values: number[], count: number, width: number): void {
    const view = this.#view;
    const lowest = (1 << width) - 1;
    let at = this.#pass(count * width);
    for (let k = 0; k < count; k++) {
      values[k] = (view.getInt32(at >>> 3, true) >>> (at & 7)) & lowest;
      at += width;
    }
  }

  #rices(values: number[], count: number, low: number): void {
    const [view, end, lowest] = [this.#view, this.#end, (1 << low) - 1];
    const short = low <= riceLowMax;
    let at = this.#at;
    for (let k = 0; k < count; k++) {
      if (at >= end) this.refuse("is cut short");
      // Whatever stands after the number is looked at too.
      const bits = view.getInt32(at >>> 3, true) >>> (at & 7);
      const quotient = 31 - Math.clz32(~bits & (bits + 1));
      if (short && quotient < quotientMax) {
        values[k] = (quotient << low) | ((bits >>> (quotient + 1)) & lowest);
        at += quotient + 1 + low;
      } else {
        this.#at = at;
        values[k] = this.#rice(low);
        at = this.#at;
      }
    }
    this.#at = at;
    this.#pass(0);
  }

  /** So many bits, 0 to 53, as a whole number. */
  bits(width: number): number {
    if (width > 24) {
      const low = this.bits(24);
      return low + this.bits(width - 24) * 0x1000000;
    }
    const at = this.#pass(width);
    return (this.#view.getInt32(at >>> 3, true) >>> (at & 7)) & ((1 << width) - 1);
  }

  #rice(low: number): number {
    let quotient = 0;
    while (quotient < quotientMax && this.bits(1) === 1) quotient += 1;
    if (quotient === quotientMax) return this.bits(this.bits(6));
    return quotient * 2 ** low + (low === 0 ? 0 : this.bits(low));
  }

  /** Throws unless everything was read. */
  end(): void {
    const left = this.#end / 8 - this.#wholeByte();
    if (left !== 0) this.refuse(`goes on after its end, by ${left} bytes`);
  }

  refuse(why: string): never {
    throw new Error(`${this.#what} ${why}`);
  }
}

/** Numbers in a column: far more than anybody does. */
const countMax = 1 << 22;

/**
 * The same few thousand ids are read over and over, and to make a string takes longer than to see that it is the one made
 * last time. Each has two places here; whoever comes later takes the one of the other.
 */
const places = 1 << 14;
const strings: string[] = new Array<string>(places).fill("");

function known(bytes: Uint8Array, from: number, to: number): string {
  let hash = to - from;
  // Ids differ at their ends.
  for (let at = Math.max(from, to - 12); at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  const place = (hash ^ (hash >>> 15)) & (places - 1);
  const last = strings[place] as string;
  if (isText(last, bytes, from, to)) return last;
  const lastButOne = strings[place ^ 1] as string;
  if (isText(lastButOne, bytes, from, to)) return lastButOne;
  const made = decoder.decode(bytes.subarray(from, to));
  strings[place ^ 1] = last;
  strings[place] = made;
  return made;
}

/** Whether these bytes are that text; only of ASCII it says yes. */
function isText(text: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let at = from, k = 0; at < to; at++, k++) {
    const byte = bytes[at] as number;
    if (byte >= 0x80 || byte !== text.charCodeAt(k)) return false;
  }
  return true;
}
