import { checksum, quotientMax, riceLowMax } from "./byte-writer.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads back what byte-writer.ts wrote; throws an Error that names `what` for bytes that it did not write. */
export class ByteReader {
  readonly format: number;
  readonly #bytes: Uint8Array;
  readonly #what: string;
  /** Where the checksum begins. */
  readonly #end: number;
  #at = 1;
  /** Bits of the byte before `#at` that were not read yet, the lowest first, and how many. */
  #bits = 0;
  #bitsHeld = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
    this.#end = bytes.length - 4;
    if (this.#end < 1) this.refuse("is cut short");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (view.getInt32(this.#end, true) !== checksum(view, this.#end)) this.refuse("is damaged: the checksum differs");
    this.format = bytes[0] as number;
  }

  uint(): number {
    this.#bits = 0;
    this.#bitsHeld = 0;
    const first = this.#byte();
    if (first < 0x80) return first;
    const second = this.#byte();
    if (second < 0x80) return (first & 0x7f) | (second << 7);
    let value = (first & 0x7f) | ((second & 0x7f) << 7);
    for (let worth = 0x4000; ; worth *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * worth;
      if (byte < 0x80) return value;
      if (worth >= 2 ** 49) this.refuse("holds a number that is too long");
    }
  }

  uints(count: number): number[] {
    // Each takes a byte at the least: a length that is wrong must not ask for all memory.
    if (count > this.#end - this.#at) this.refuse("is cut short");
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
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#end) this.refuse("is cut short");
    return known(this.#bytes, from, this.#at);
  }

  floats(count: number): Float32Array {
    this.#align();
    const from = this.#at;
    this.#at += 4 * count;
    if (this.#at > this.#end) this.refuse("is cut short");
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + from, 4 * count);
    const values = new Float32Array(count);
    for (let k = 0; k < count; k++) values[k] = view.getFloat32(4 * k, true);
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
    if ((head & 2) === 0 && wanted < count) this.#skip((count - wanted) * width);
    if ((head & 1) !== 0) {
      for (let k = 0; k < wanted; k++) {
        const value = values[k] as number;
        values[k] = value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
    }
    return values;
  }

  #skip(bits: number): void {
    const beyond = bits - this.#bitsHeld;
    if (beyond < 0) {
      this.#bits >>>= bits;
      this.#bitsHeld -= bits;
      return;
    }
    this.#bits = 0;
    this.#bitsHeld = 0;
    this.#at += beyond >>> 3;
    if (this.#at > this.#end) this.refuse("is cut short");
    this.bits(beyond & 7);
  }

  /** The loops that most of a column's time is spent in. */
  #packed(values: number[], count: number, width: number): void {
    let [at, bits, held] = [this.#at, this.#bits, this.#bitsHeld];
    const lowest = (1 << width) - 1;
    for (let k = 0; k < count; k++) {
      while (held < width) {
        if (at >= this.#end) this.refuse("is cut short");
        bits |= (this.#bytes[at++] as number) << held;
        held += 8;
      }
      values[k] = bits & lowest;
      bits >>>= width;
      held -= width;
    }
    this.#at = at;
    this.#bits = bits;
    this.#bitsHeld = held;
  }

  #rices(values: number[], count: number, low: number): void {
    let [at, bits, held] = [this.#at, this.#bits, this.#bitsHeld];
    const [bytes, end, lowest] = [this.#bytes, this.#end, (1 << low) - 1];
    const short = low <= riceLowMax;
    for (let k = 0; k < count; k++) {
      // Whatever stands after the number is looked at too; after the last byte, zeros.
      while (held < 24 && at < end) {
        bits |= (bytes[at++] as number) << held;
        held += 8;
      }
      const quotient = 31 - Math.clz32(~bits & (bits + 1));
      const length = quotient + 1 + low;
      if (short && quotient < quotientMax && length <= held) {
        values[k] = (quotient << low) | ((bits >>> (quotient + 1)) & lowest);
        bits >>>= length;
        held -= length;
      } else {
        this.#goOn(at, bits, held);
        values[k] = this.#rice(low);
        [at, bits, held] = [this.#at, this.#bits, this.#bitsHeld];
      }
    }
    this.#goOn(at, bits, held);
  }

  /** From there; whole bytes that were looked at and not used are given back. */
  #goOn(at: number, bits: number, held: number): void {
    this.#at = at - (held >>> 3);
    this.#bitsHeld = held & 7;
    this.#bits = bits & ((1 << this.#bitsHeld) - 1);
  }

  /** So many bits, 0 to 53, as a whole number. */
  bits(width: number): number {
    if (width > 24) {
      const low = this.bits(24);
      return low + this.bits(width - 24) * 0x1000000;
    }
    while (this.#bitsHeld < width) {
      this.#bits |= this.#byte() << this.#bitsHeld;
      this.#bitsHeld += 8;
    }
    const value = this.#bits & ((1 << width) - 1);
    this.#bits >>>= width;
    this.#bitsHeld -= width;
    return value;
  }

  #rice(low: number): number {
    let quotient = 0;
    while (quotient < quotientMax && this.bits(1) === 1) quotient += 1;
    if (quotient === quotientMax) return this.bits(this.bits(6));
    return quotient * 2 ** low + (low === 0 ? 0 : this.bits(low));
  }

  #align(): void {
    this.#bits = 0;
    this.#bitsHeld = 0;
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.#at !== this.#end) this.refuse(`goes on after its end, by ${this.#end - this.#at} bytes`);
  }

  refuse(why: string): never {
    throw new Error(`${this.#what} ${why}`);
  }

  #byte(): number {
    if (this.#at >= this.#end) this.refuse("is cut short");
    return this.#bytes[this.#at++] as number;
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
