import { crc32 } from "node:zlib";

/** A part of an answer that is used again and again: its text in one piece, its length in UTF-8, and its checksum. */
export interface Piece {
  readonly text: string;
  readonly bytes: number;
  readonly sum: number;
}

export const piece = (text: string): Piece => {
  const bytes = Buffer.from(text);
  return { text: bytes.toString(), bytes: bytes.length, sum: crc32(bytes) };
};

/** The same text in one piece: what is added, or cut out of another, is written part by part each time. */
export const flat = (text: string): string => Buffer.from(text).toString();

/** Of what was said so far and what is said now, 32 bits: another one for another order, or anything else. */
export function mix(sum: number, word: number): number {
  const product = Math.imul(sum ^ word, 0x85ebca6b);
  return product ^ (product >>> 15);
}

/** Of a text of any characters that is seldom the same. */
export function sumOf(text: string): number {
  let sum = text.length;
  for (let at = 0; at < text.length; at++) sum = mix(sum, text.charCodeAt(at));
  return sum;
}

/**
 * A text put together of pieces. It stays what JavaScript makes of strings that are added, a tree of its parts: to send it
 * once takes no longer than to copy it. Its length and its checksum come from those of the pieces.
 */
export class Pieces {
  text = "";
  /** In UTF-8. */
  bytes = 0;
  sum = 0;

  add(one: Piece): void {
    this.text += one.text;
    this.bytes += one.bytes;
    this.sum = mix(this.sum, one.sum);
  }

  /** A number, in the words that are given for it: ASCII. */
  number(value: number, text: string): void {
    this.constant(text);
    this.said(value);
  }

  /** Numbers that stand in what was added as constant; told from others by what they are over 1e-9. */
  said(...values: readonly number[]): void {
    for (const value of values) {
      const whole = Math.floor(value);
      this.sum = mix(mix(this.sum, whole), (value - whole) * 1e9);
    }
  }

  /** What always stands at this place: ASCII. */
  constant(text: string): void {
    this.text += text;
    this.bytes += text.length;
  }

  /** What is said by what was added otherwise: ASCII. */
  word(text: string, sum: number): void {
    this.text += text;
    this.bytes += text.length;
    this.sum = mix(this.sum, sum);
  }

  /** Of any characters, and `sum` says which. */
  any(text: string, sum: number): void {
    this.text += text;
    this.bytes += Buffer.byteLength(text);
    this.sum = mix(this.sum, sum);
  }
}
