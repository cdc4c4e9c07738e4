import { checksum } from "./checksum.ts";

const encoder = new TextEncoder();

/** Written into by one writer after the other: a value is begun and finished without anything in between. */
let scratch = new Uint8Array(1 << 16);
let view = new DataView(scratch.buffer);

/** Columns are gathered here by who writes them, one after the other. */
let gathered = new Float64Array(1 << 10);

/** A column's numbers as they are coded, where each of them is below {@link shortBelow}. */
let codes = new Int32Array(1 << 10);

/** Of either sign, such a number and the bits of a byte that was begun fit into 32 bits. */
const shortBelow = 2 ** 23;

/**
 * Writes a value as bytes: the format first, then whole numbers of 1 to 8 bytes and texts, then a checksum. Nothing names
 * the values: the reader asks for them in the order in which they were written. Numbers of one kind stand together as a
 * column, in as few bits as they need.
 */
export class ByteWriter {
  #at = 0;
  /** Bits of columns that do not make a byte yet, the lowest first, and how many. Whatever is not a column begins a byte. */
  #bits = 0;
  #bitsHeld = 0;

  /** `format`: 0..255, says to the reader what was written. */
  constructor(format: number) {
    scratch[0] = format;
    this.#at = 1;
  }

  /** A whole number, 0 to 2^53 - 1: seven bits in a byte, the lowest first, the eighth says that more follow. */
  uint(value: number): void {
    if (this.#bitsHeld > 0) this.#align();
    this.#reserve(8);
    if (value >= 0 && value < 0x80 && (value | 0) === value) {
      scratch[this.#at++] = value;
      return;
    }
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a whole number from 0`);
    let rest = value;
    for (; rest > 0x7fffffff; rest = Math.floor(rest / 0x80)) scratch[this.#at++] = (rest % 0x80) | 0x80;
    for (; rest >= 0x80; rest >>>= 7) scratch[this.#at++] = (rest & 0x7f) | 0x80;
    scratch[this.#at++] = rest;
  }

  /** A whole number of either sign, as an even or an odd one; within +-2^52. */
  int(value: number): void {
    this.uint(value >= 0 ? 2 * value : -2 * value - 1);
  }

  /** UTF-8 after its length in bytes. */
  text(value: string): void {
    const { length } = value;
    this.#align();
    const from = this.#at;
    this.uint(length);
    this.#reserve(length);
    for (let k = 0; k < length; k++) {
      const code = value.charCodeAt(k);
      if (code >= 0x80) {
        this.#utf8(value, from);
        return;
      }
      scratch[this.#at++] = code;
    }
  }

  #utf8(value: string, from: number): void {
    const bytes = encoder.encode(value);
    this.#at = from;
    this.uint(bytes.length);
    this.bytes(bytes);
  }

  /** As they are: whoever reads them knows where they end. */
  bytes(bytes: Uint8Array): void {
    this.#align();
    this.#reserve(bytes.length);
    scratch.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Single precision, little-endian, four bytes each: numbers of double precision are rounded to it. */
  floats(values: Float32Array | Float64Array): void {
    this.#align();
    this.#reserve(4 * values.length);
    for (let k = 0; k < values.length; k++) view.setFloat32(this.#at + 4 * k, values[k] as number, true);
    this.#at += 4 * values.length;
  }

  /** A copy of all that was written, with its checksum. */
  finish(): Uint8Array {
    this.#align();
    this.#reserve(4);
    view.setInt32(this.#at, checksum(view, this.#at), true);
    return scratch.slice(0, this.#at + 4);
  }

  /** Room for so many numbers to be filled and given to {@link column}, before anybody else asks for it. */
  gather(count: number): Float64Array {
    if (gathered.length < count) gathered = new Float64Array(2 * count);
    return gathered;
  }

  /**
   * The first `count` of whole numbers within +-2^52. Eight bits say how: signed or not; all in the bits of the largest,
   * or as Golomb-Rice codes, whichever is shorter. Where all are 0, that is all that is written; of no numbers, nothing is.
   */
  column(values: ArrayLike<number>, count: number): void {
    if (count === 0) return;
    if (codes.length < count) codes = new Int32Array(2 * count);
    let [sizes, widths, signed] = [0, 0, 0];
    for (let k = 0; k < count; k++) {
      const value = values[k] as number;
      const whole = value | 0;
      const size = whole < 0 ? -whole : whole;
      if (whole !== value || size >= shortBelow) {
        this.#longColumn(values, count);
        return;
      }
      sizes |= size;
      widths += 32 - Math.clz32(size);
      signed |= whole >>> 31;
      codes[k] = whole;
    }
    const width = 32 - Math.clz32(sizes) + signed;
    if (signed === 1) for (let k = 0; k < count; k++) codes[k] = zigzag(codes[k] as number);
    const low = lowOf(widths, count, signed);
    const packed = width <= low + 1 || count * width <= riceLength(codes, count, low, width);
    if (!packed && low > riceLowMax) {
      this.#longColumn(values, count);
      return;
    }
    this.bits(signed | (packed ? width << 2 : 2 | (low << 2)), 8);
    if (width === 0) return;
    if (packed) this.#packed(count, width);
    else this.#rice(count, low);
  }

  /** Codes below 2^24: here and in {@link #rice} most of a column's time is spent. Bits go out by four bytes, of which those that are full count. */
  #packed(count: number, width: number): void {
    this.#reserve((count * width) / 8 + 8);
    let [at, bits, held] = [this.#at, this.#bits, this.#bitsHeld];
    for (let k = 0; k < count; k++) {
      bits |= (codes[k] as number) << held;
      held += width;
      view.setInt32(at, bits, true);
      at += held >>> 3;
      bits >>>= held & 0x18;
      held &= 7;
    }
    this.#at = at;
    this.#bits = bits;
    this.#bitsHeld = held;
  }

  /** So many ones as the lowest `low` bits fit into it more than once, a zero, the lowest bits; what is far larger by itself. */
  #rice(count: number, low: number): void {
    this.#reserve(8 * count + 8);
    let [at, bits, held] = [this.#at, this.#bits, this.#bitsHeld];
    const lowest = (1 << low) - 1;
    for (let k = 0; k < count; k++) {
      const value = codes[k] as number;
      const quotient = value >>> low;
      if (quotient < quotientMax) {
        bits |= (((1 << quotient) - 1) | ((value & lowest) << (quotient + 1))) << held;
        held += quotient + 1 + low;
      } else {
        const width = 32 - Math.clz32(value);
        bits |= (((1 << quotientMax) - 1) | (width << quotientMax)) << held;
        held += quotientMax + 6;
        view.setInt32(at, bits, true);
        at += held >>> 3;
        bits = (bits >>> (held & 0x18)) | (value << (held & 7));
        held = (held & 7) + width;
      }
      view.setInt32(at, bits, true);
      at += held >>> 3;
      bits >>>= held & 0x18;
      held &= 7;
    }
    this.#at = at;
    this.#bits = bits;
    this.#bitsHeld = held;
  }

  /** The same with numbers of any size. */
  #longColumn(values: ArrayLike<number>, count: number): void {
    let [most, widths, total, signed] = [0, 0, 0, 0];
    for (let k = 0; k < count; k++) {
      const value = values[k] as number;
      const size = Math.abs(value);
      if (value < 0) signed = 1;
      widths += widthOf(size);
      total += value;
      most = Math.max(most, size);
    }
    if (most > 2 ** 52 || !Number.isInteger(total)) {
      throw new RangeError(`${Math.max(most, total)} does not fit into a column`);
    }
    const coded = Float64Array.from({ length: count }, (_, k) => unsigned(values[k] as number, signed));
    const width = widthOf(most) + signed;
    const low = lowOf(widths, count, signed);
    const packed = width <= low + 1 || count * width <= riceLength(coded, count, low, width);
    this.bits(signed | (packed ? width << 2 : 2 | (low << 2)), 8);
    for (const value of coded) {
      if (packed) this.bits(value, width);
      else this.#longRice(value, low);
    }
  }

  #longRice(value: number, low: number): void {
    const quotient = Math.floor(value / 2 ** low);
    if (quotient < quotientMax) {
      this.bits((1 << quotient) - 1, quotient + 1);
      this.bits(value % 2 ** low, low);
      return;
    }
    const width = widthOf(value);
    this.bits((1 << quotientMax) - 1, quotientMax);
    this.bits(width, 6);
    this.bits(value, width);
  }

  /** A whole number from 0 in so many bits, 0 to 53. */
  bits(value: number, width: number): void {
    if (width > 24) {
      this.bits(value % 0x1000000, 24);
      this.bits(Math.floor(value / 0x1000000), width - 24);
      return;
    }
    this.#bits |= value << this.#bitsHeld;
    this.#bitsHeld += width;
    if (this.#bitsHeld < 8) return;
    this.#reserve(4);
    while (this.#bitsHeld >= 8) {
      scratch[this.#at++] = this.#bits & 0xff;
      this.#bits >>>= 8;
      this.#bitsHeld -= 8;
    }
  }

  #align(): void {
    if (this.#bitsHeld === 0) return;
    this.#reserve(1);
    scratch[this.#at++] = this.#bits;
    this.#bits = 0;
    this.#bitsHeld = 0;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= scratch.length) return;
    const larger = new Uint8Array(2 * scratch.length + bytes);
    larger.set(scratch);
    scratch = larger;
    view = new DataView(larger.buffer);
  }
}

/** Of a Golomb-Rice code: from here on a number is written by itself, after its width in 6 bits. */
export const quotientMax = 6;

/** A whole code of such a number fits into 24 bits. */
export const riceLowMax = 24 - quotientMax;

/** Bits that a whole number from 0 needs; 0 for 0. */
const widthOf = (value: number): number =>
  value < 2 ** 32 ? 32 - Math.clz32(value) : 64 - Math.clz32(value / 2 ** 32);

/**
 * How many bits fewer than their mean width suit numbers that are distributed geometrically; the mean itself would follow
 * the largest.
 */
const riceBelowWidth = 0.8;
const lowOf = (widths: number, count: number, signed: number): number =>
  Math.max(0, Math.round(widths / count + signed - riceBelowWidth));

/** Bits that a column of so many codes, none wider than `width`, takes in Golomb-Rice codes. */
function riceLength(coded: Int32Array | Float64Array, count: number, low: number, width: number): number {
  const unit = 2 ** low;
  let length = count * (low + 1);
  for (let k = 0; k < count; k++) {
    const value = coded[k] as number;
    const quotient = width < 32 ? value >>> low : Math.floor(value / unit);
    length += quotient < quotientMax ? quotient : quotientMax + 6 + width;
  }
  return length;
}

/** 0, -1, 1, -2, 2 as 0, 1, 2, 3, 4. */
const unsigned = (value: number, signed: number): number =>
  signed === 0 ? value : value >= 0 ? 2 * value : -2 * value - 1;

/** The same with 32 bits. */
const zigzag = (value: number): number => (value << 1) ^ (value >> 31);
