const encoder = new TextEncoder();

/** Written into by one writer after the other: a value is begun and finished without anything in between. */
let scratch = new Uint8Array(1 << 16);
let view = new DataView(scratch.buffer);

/**
 * Writes a value as bytes: the format first, then whole numbers of 1 to 8 bytes and texts, then a checksum. Nothing names
 * the values: the reader asks for them in the order in which they were written.
 */
export class ByteWriter {
  #at = 0;

  /** `format`: 0..255, says to the reader what was written. */
  constructor(format: number) {
    scratch[0] = format;
    this.#at = 1;
  }

  /** A whole number, 0 to 2^53 - 1: seven bits in a byte, the lowest first, the eighth says that more follow. */
  uint(value: number): void {
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
    this.#reserve(bytes.length);
    scratch.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Single precision, little-endian, four bytes each: numbers of double precision are rounded to it. */
  floats(values: Float32Array | Float64Array): void {
    this.#reserve(4 * values.length);
    for (let k = 0; k < values.length; k++) view.setFloat32(this.#at + 4 * k, values[k] as number, true);
    this.#at += 4 * values.length;
  }

  /** A copy of all that was written, with its checksum. */
  finish(): Uint8Array {
    this.#reserve(4);
    view.setInt32(this.#at, checksum(view, this.#at), true);
    return scratch.slice(0, this.#at + 4);
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= scratch.length) return;
    const larger = new Uint8Array(2 * scratch.length + bytes);
    larger.set(scratch);
    scratch = larger;
    view = new DataView(larger.buffer);
  }
}

/** Of the first bytes, four at a time. No change within four of them goes unseen: against damage, not against malice. */
export function checksum(bytes: DataView, length: number): number {
  let sum = length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    sum = Math.imul(sum ^ bytes.getInt32(at, true), 0x85ebca6b);
    sum ^= sum >>> 15;
  }
  for (; at < length; at++) sum = Math.imul(sum ^ bytes.getUint8(at), 0x85ebca6b);
  return sum;
}
