import { createRequire } from "node:module";
import { crc32c } from "./crc32c.ts";

type Bytes = string | Uint8Array | null | undefined;
type Headers = Readonly<Record<string, Bytes | readonly Bytes[]>>;

/** What kafkajs gives to its encoder of records: a message as it was sent, and its place in the batch. */
export interface PlacedMessage {
  readonly key?: Bytes;
  readonly value: Bytes;
  readonly headers?: Headers;
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
}

/** As much of kafkajs' Encoder as it asks of a record. */
export interface EncodedRecord {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

let mended = false;

/**
 * kafkajs 2.2.4 makes an encoder with half a kilobyte of zeroes for each record and for each of its headers, and a buffer for
 * each length in them, and sums bytes one by one: that was two thirds of what the relay took for an event. Here records stand one
 * after the other in one piece of memory; the bytes are the same. The modules are found by name in a client whose version is
 * pinned, and are loaded by it when it sends for the first time; where they are missing, all stays as it was.
 */
export function mendRecords(): void {
  if (mended) return;
  mended = true;
  replace("kafkajs/src/protocol/recordBatch/record/v0", encodeRecord);
  replace("kafkajs/src/protocol/recordBatch/crc32C", crc32c);
}

function replace(name: string, by: (...args: never[]) => unknown): void {
  const require = createRequire(import.meta.url);
  if (typeof require(name) !== "function") return;
  const loaded = require.cache[require.resolve(name)];
  if (loaded !== undefined) loaded.exports = by;
}

const pieceBytes = 1024 * 1024;
/** Of a number that stands before what it counts. */
const varintBytesMax = 5;
/** Of the time since the batch began, which may be any number. */
const varlongBytesMax = 8;
/** A text this short is quicker written here, as long as it is ASCII, than by a call of Node; its length takes one byte. */
const shortTextMax = 63;

/** Records share a piece until it is full and leave it to the collector then: what was given out is never written over. */
let piece = Buffer.alloc(0);
/** Where the record that is being written begins, and how far it is. */
let start = 0;
let at = 0;

/** A record of message format 2, its length before it: https://kafka.apache.org/documentation/#record. */
export function encodeRecord(message: PlacedMessage): EncodedRecord {
  const { key, value, headers = {}, offsetDelta = 0, timestampDelta = 0 } = message;
  start = at;
  reserve(varintBytesMax + 1 + varlongBytesMax + varintBytesMax);
  // How long the body is, is known after it.
  at += varintBytesMax;
  piece[at++] = noAttributes;
  writeVarint(timestampDelta);
  writeVarint(offsetDelta);
  writeBytes(key);
  writeBytes(value);
  writeHeaders(headers);
  const end = at;
  const length = end - start - varintBytesMax;
  at = start + varintBytesMax - varintBytes(length);
  const buffer = piece.subarray(at, end);
  writeVarint(length);
  at = end;
  return { buf: buffer, buffer };
}

const noAttributes = 0;

/** A name that has several values is written as often. V8 finds a value at once where the loop itself asks for it by name. */
function writeHeaders(headers: Headers): void {
  let count = 0;
  for (const name in headers) {
    const values = headers[name];
    count += isMany(values) ? values.length : 1;
  }
  reserve(varintBytesMax);
  writeVarint(count);
  for (const name in headers) {
    const values = headers[name];
    if (isMany(values)) for (const value of values) writeHeader(name, value);
    else writeHeader(name, values);
  }
}

function writeHeader(name: string, value: Bytes): void {
  writeText(name);
  writeBytes(value);
}

const isMany = (values: Bytes | readonly Bytes[]): values is readonly Bytes[] => Array.isArray(values);

/** Makes room; what there is of the record moves along. */
function reserve(bytes: number): void {
  if (at + bytes <= piece.length) return;
  const begun = piece.subarray(start, at);
  piece = Buffer.allocUnsafeSlow(Math.max(pieceBytes, 2 * (begun.length + bytes)));
  piece.set(begun);
  start = 0;
  at = begun.length;
}

/** After its length in bytes; -1 where there is none. */
function writeBytes(value: Bytes): void {
  if (typeof value === "string") {
    writeText(value);
    return;
  }
  reserve(varintBytesMax + (value?.length ?? 0));
  writeVarint(value?.length ?? -1);
  if (value == null) return;
  piece.set(value, at);
  at += value.length;
}

function writeText(text: string): void {
  if (text.length <= shortTextMax && writeShort(text)) return;
  const length = Buffer.byteLength(text);
  reserve(varintBytesMax + length);
  writeVarint(length);
  at += piece.write(text, at);
}

/** false, and nothing written, where it is not ASCII. */
function writeShort(text: string): boolean {
  const { length } = text;
  reserve(1 + length);
  for (let nth = 0; nth < length; nth++) {
    const code = text.charCodeAt(nth);
    if (code >= 0x80) return false;
    piece[at + 1 + nth] = code;
  }
  piece[at] = 2 * length;
  at += 1 + length;
  return true;
}

/** A whole number of either sign, as an even or an odd one; seven bits in a byte, the lowest first. */
function writeVarint(value: number): void {
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) piece[at++] = (rest % 0x80) | 0x80;
  piece[at++] = rest;
}

/** That a length from 0 takes. */
function varintBytes(length: number): number {
  let bytes = 1;
  for (let rest = 2 * length; rest >= 0x80; rest >>>= 7) bytes += 1;
  return bytes;
}
