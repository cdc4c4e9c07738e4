import { checksum } from "./byte-writer.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads back what byte-writer.ts wrote; throws an Error that names `what` for bytes that it did not write. */
export class ByteReader {
  readonly format: number;
  readonly #bytes: Uint8Array;
  readonly #what: string;
  /** Where the checksum begins. */
  readonly #end: number;
  #at = 1;

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
    const from = this.#at;
    this.#at += 4 * count;
    if (this.#at > this.#end) this.refuse("is cut short");
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + from, 4 * count);
    const values = new Float32Array(count);
    for (let k = 0; k < count; k++) values[k] = view.getFloat32(4 * k, true);
    return values;
  }

  /** Where the next value begins. */
  get place(): number {
    return this.#at;
  }

  /** The bytes of what was read since then, not copied. */
  since(place: number): Uint8Array {
    return this.#bytes.subarray(place, this.#at);
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
