/**
 * One-dimensional arrays without nulls in the form that PostgreSQL sends and takes in binary: nothing to escape here, nothing to
 * parse there. (array_recv in PostgreSQL's src/backend/utils/adt/arrayfuncs.c says how they are read.)
 */
const headerBytes = 20;
const oid = { text: 25, json: 114, int4: 23, int8: 20, timestamptz: 1184, uuid: 2950 } as const;

function header(bytes: Buffer, type: number, count: number): void {
  bytes.writeInt32BE(1, 0);
  bytes.writeInt32BE(0, 4);
  bytes.writeInt32BE(type, 8);
  bytes.writeInt32BE(count, 12);
  bytes.writeInt32BE(1, 16);
}

/** Well-formed text, as `text[]`, or JSON as `json[]`. */
export function textArray(values: readonly string[], type: "text" | "json" = "text"): Buffer {
  let room = headerBytes;
  // A UTF-16 unit takes at most three bytes: cheaper to leave room than to count.
  for (const value of values) room += 4 + value.length * 3;
  const bytes = Buffer.allocUnsafe(room);
  header(bytes, oid[type], values.length);
  let at = headerBytes;
  for (const value of values) {
    const length = bytes.write(value, at + 4, "utf8");
    bytes.writeInt32BE(length, at);
    at += 4 + length;
  }
  return bytes.subarray(0, at);
}

/** UUIDs in their usual form, as `uuid[]`. */
export function uuidArray(values: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + values.length * 20);
  header(bytes, oid.uuid, values.length);
  let at = headerBytes;
  for (const value of values) {
    bytes.writeInt32BE(16, at);
    at += 4;
    for (let i = 0; i < 36; i += 2) {
      // After 8, 4, 4 and 4 digits stands a dash.
      if (i === 8 || i === 13 || i === 18 || i === 23) i += 1;
      bytes[at] = (digit(value.charCodeAt(i)) << 4) | digit(value.charCodeAt(i + 1));
      at += 1;
    }
  }
  return bytes;
}

/** Of 0-9 and a-f. */
function digit(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}

/** Whole numbers of 32 bits, as `integer[]`. */
export function integerArray(values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + values.length * 8);
  header(bytes, oid.int4, values.length);
  let at = headerBytes;
  for (const value of values) {
    bytes.writeInt32BE(4, at);
    at = bytes.writeInt32BE(value, at + 4);
  }
  return bytes;
}

/** Safe integers, as `bigint[]`. */
export function bigintArray(values: readonly number[]): Buffer {
  return wideArray(values, oid.int8);
}

const year2000 = Date.UTC(2000, 0, 1);

/** Milliseconds since 1970, as `timestamptz[]`. */
export function timeArray(values: readonly number[]): Buffer {
  return wideArray(
    values.map((ms) => (ms - year2000) * 1000),
    oid.timestamptz,
  );
}

function wideArray(values: readonly number[], type: number): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + values.length * 12);
  header(bytes, type, values.length);
  let at = headerBytes;
  for (const value of values) {
    bytes.writeInt32BE(8, at);
    const high = Math.floor(value / 2 ** 32);
    bytes.writeInt32BE(high, at + 4);
    at = bytes.writeUInt32BE(value - high * 2 ** 32, at + 8);
  }
  return bytes;
}
