import { createRequire } from "node:module";
import { crc32c } from "@node-rs/crc32";

type Bytes = string | Uint8Array | null | undefined;
type Headers = Readonly<Record<string, Bytes | readonly Bytes[]>>;

export interface ProduceMessage {
  readonly key?: Bytes;
  readonly value: Bytes;
  readonly headers?: Headers;
  readonly timestamp?: string;
}

interface PartitionData {
  readonly partition: number;
  readonly messages: readonly ProduceMessage[];
  readonly firstSequence?: number;
}

interface TopicData {
  readonly topic: string;
  readonly partitions: readonly PartitionData[];
}

/** What kafkajs makes a request to produce of. Its numbers of 64 bits are objects that toString writes in digits. */
export interface ProduceOptions {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null | undefined;
  readonly producerId?: { toString(): string };
  readonly producerEpoch?: number;
  readonly compression?: number;
  readonly topicData: readonly TopicData[];
}

/** As much of kafkajs' Encoder as it asks of a request. */
interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

/** A request as kafkajs' versions 3 to 7 of it are. */
export type ProduceRequest = (options: ProduceOptions) => { encode(): Promise<Encoded> };

const requestModule = "kafkajs/src/protocol/requests/produce/v3/request";
let mended = false;

/**
 * kafkajs 2.2.4 makes an encoder with half a kilobyte of zeroes for each record and for each of its headers, and a buffer for
 * each length in them; copies a batch six times into ever larger ones; and sums bytes one by one. That was two thirds of what
 * the relay took for an event, and what was allocated had all of the heap marked again and again. Here a request is written
 * once, into one buffer; the bytes are the same. The module is found by name in a client whose version is pinned, which loads it
 * when it sends for the first time; where it is missing, all stays as it was.
 */
export function mendProduce(): void {
  if (mended) return;
  mended = true;
  const require = createRequire(import.meta.url);
  const theirs: unknown = require(requestModule);
  const loaded = require.cache[require.resolve(requestModule)];
  if (typeof theirs === "function" && loaded !== undefined) loaded.exports = mendedRequest(theirs as ProduceRequest);
}

/** Compressed batches, transactions and messages with a time of their own, none of which is sent here, are left to kafkajs. */
export function mendedRequest(theirs: ProduceRequest): ProduceRequest {
  return (options) => {
    const request = theirs(options);
    return isPlain(options) ? { ...request, encode: async () => encodeRequest(options) } : request;
  };
}

function isPlain({ compression = 0, transactionalId = null, topicData }: ProduceOptions): boolean {
  if (compression !== 0 || transactionalId !== null) return false;
  return topicData.every(({ partitions }) =>
    partitions.every(({ messages }) => messages.every(({ timestamp }) => timestamp === undefined)),
  );
}

/** Of a number that stands before what it counts. */
const varintBytesMax = 5;
/** A text this short is quicker written here, as long as it is ASCII, than by a call of Node; its length takes one byte. */
const shortTextMax = 63;

/** What is being written, and how far it is. Each request has its own: it is on its way when the next is begun. */
let bytes = Buffer.alloc(0);
let at = 0;
/** The next request will be about as large as the last. */
let lastLength = 0;

/** Produce, version 3: https://kafka.apache.org/protocol#The_Messages_Produce. */
function encodeRequest(options: ProduceOptions): Encoded {
  const { acks, timeout, topicData } = options;
  bytes = Buffer.allocUnsafeSlow(1024 + Math.ceil(1.1 * lastLength));
  at = 0;
  reserve(12);
  // No transaction.
  writeInt16(-1);
  writeInt16(acks);
  writeInt32(timeout);
  writeInt32(topicData.length);
  for (const { topic, partitions } of topicData) {
    const length = Buffer.byteLength(topic);
    reserve(2 + length + 4);
    writeInt16(length);
    at += bytes.write(topic, at);
    writeInt32(partitions.length);
    for (const partition of partitions) writePartition(partition, options);
  }
  const buffer = bytes.subarray(0, at);
  lastLength = at;
  bytes = Buffer.alloc(0);
  return { buf: buffer, buffer };
}

/** Before its records, and from the sum on; https://kafka.apache.org/documentation/#recordbatch. */
const batchHeadBytes = 61;
const sumOffset = 17;
const messageFormat = 2;

function writePartition({ partition, messages, firstSequence = 0 }: PartitionData, options: ProduceOptions): void {
  reserve(8 + batchHeadBytes);
  writeInt32(partition);
  const start = at + 4;
  at = start + sumOffset + 4;
  writeBatchHead(messages.length, firstSequence, options);
  for (const [nth, message] of messages.entries()) writeRecord(message, nth);
  bytes.writeInt32BE(at - start, start - 4);
  bytes.fill(0, start, start + sumOffset);
  bytes.writeInt32BE(at - start - 12, start + 8);
  bytes[start + 16] = messageFormat;
  bytes.writeUInt32BE(crc32c(bytes.subarray(start + sumOffset + 4, at)), start + sumOffset);
}

/** What follows the sum. */
function writeBatchHead(count: number, firstSequence: number, options: ProduceOptions): void {
  const { producerId = -1, producerEpoch = 0 } = options;
  const now = BigInt(Date.now());
  writeInt16(noAttributes);
  writeInt32(count - 1);
  writeInt64(now);
  writeInt64(now);
  writeInt64(BigInt(producerId.toString()));
  writeInt16(producerEpoch);
  writeInt32(firstSequence);
  writeInt32(count);
}

const noAttributes = 0;

/** The length of a record of 64 bytes to 8 KB. */
const usualLengthBytes = 2;

/** Its length before it; of the time of its batch. */
function writeRecord({ key, value, headers = {} }: ProduceMessage, offsetDelta: number): void {
  reserve(usualLengthBytes + 2 + varintBytesMax);
  const start = at;
  const body = start + usualLengthBytes;
  at = body;
  bytes[at++] = noAttributes;
  writeVarint(0);
  writeVarint(offsetDelta);
  writeBytes(key);
  writeBytes(value);
  writeHeaders(headers);
  // How long it is, is known only now: a small or a large one moves.
  const length = at - body;
  const lengthBytes = varintBytes(length);
  reserve(lengthBytes);
  if (lengthBytes !== usualLengthBytes) bytes.copyWithin(start + lengthBytes, body, at);
  at = start;
  writeVarint(length);
  at += length;
}

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

/** After its length in bytes; -1 where there is none. */
function writeBytes(value: Bytes): void {
  if (typeof value === "string") {
    writeText(value);
    return;
  }
  reserve(varintBytesMax + (value?.length ?? 0));
  writeVarint(value?.length ?? -1);
  if (value == null) return;
  bytes.set(value, at);
  at += value.length;
}

function writeText(text: string): void {
  if (text.length <= shortTextMax && writeShort(text)) return;
  const length = Buffer.byteLength(text);
  reserve(varintBytesMax + length);
  writeVarint(length);
  at += bytes.write(text, at);
}

/** false, and nothing written, where it is not ASCII. */
function writeShort(text: string): boolean {
  const { length } = text;
  reserve(1 + length);
  for (let nth = 0; nth < length; nth++) {
    const code = text.charCodeAt(nth);
    if (code >= 0x80) return false;
    bytes[at + 1 + nth] = code;
  }
  bytes[at] = 2 * length;
  at += 1 + length;
  return true;
}

/** A whole number of either sign, as an even or an odd one; seven bits in a byte, the lowest first. */
function writeVarint(value: number): void {
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
}

/** That a length from 0 takes. */
function varintBytes(length: number): number {
  let count = 1;
  for (let rest = 2 * length; rest >= 0x80; rest >>>= 7) count += 1;
  return count;
}

function writeInt16(value: number): void {
  at = bytes.writeInt16BE(value, at);
}

function writeInt32(value: number): void {
  at = bytes.writeInt32BE(value, at);
}

function writeInt64(value: bigint): void {
  at = bytes.writeBigInt64BE(value, at);
}

function reserve(more: number): void {
  if (at + more <= bytes.length) return;
  const larger = Buffer.allocUnsafeSlow(2 * (at + more));
  larger.set(bytes.subarray(0, at));
  bytes = larger;
}
