/**
 * Weights as bytes: magic, format version, checksum of the rest, the ids as JSON, then the numbers as little-endian
 * doubles, so that what is read back predicts the same to the last bit on any machine; in format 2 then whatever else
 * the model packs into bytes of its own.
 */
export interface WeightsFile {
  readonly model: string;
  /** Ids of each table of the model, in order of its rows. */
  readonly ids: Readonly<Record<string, readonly string[]>>;
  readonly numbers: Float64Array;
  readonly packed?: Uint8Array;
}

const magic = 0x50584c57; // "PXLW"
const formatWithoutPacked = 1;
const formatWithPacked = 2;
const prefixLength = 20; // magic, format version, checksum, length of the JSON, count of numbers

export function encodeWeightsFile(file: WeightsFile): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify({ model: file.model, ids: file.ids }));
  const end = prefixLength + head.length + 8 * file.numbers.length;
  const bytes = new Uint8Array(end + (file.packed === undefined ? 0 : 4 + file.packed.length));
  const view = new DataView(bytes.buffer);
  bytes.set(head, prefixLength);
  for (const [k, number] of file.numbers.entries()) view.setFloat64(prefixLength + head.length + 8 * k, number, true);
  if (file.packed !== undefined) {
    view.setUint32(end, file.packed.length);
    bytes.set(file.packed, end + 4);
  }
  view.setUint32(0, magic);
  view.setUint32(4, file.packed === undefined ? formatWithoutPacked : formatWithPacked);
  view.setUint32(12, head.length);
  view.setUint32(16, file.numbers.length);
  view.setUint32(8, checksum(bytes));
  return bytes;
}

/** Throws an Error that says what is wrong with the bytes. */
export function decodeWeightsFile(bytes: Uint8Array, model: string): WeightsFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < prefixLength || view.getUint32(0) !== magic) throw new Error("not model weights");
  const format = view.getUint32(4);
  if (format !== formatWithoutPacked && format !== formatWithPacked) {
    throw new Error(`model weights of format ${format}, but this Proximal reads formats up to ${formatWithPacked}`);
  }
  const headLength = view.getUint32(12);
  const count = view.getUint32(16);
  const end = prefixLength + headLength + 8 * count;
  const packedLength = format === formatWithPacked && bytes.length >= end + 4 ? view.getUint32(end) : 0;
  const packedFrom = format === formatWithPacked ? end + 4 : end;
  if (bytes.length !== packedFrom + packedLength) throw new Error("model weights are cut short");
  if (view.getUint32(8) !== checksum(bytes)) throw new Error("model weights are damaged: the checksum differs");
  const text = new TextDecoder().decode(bytes.subarray(prefixLength, prefixLength + headLength));
  const head = JSON.parse(text) as Pick<WeightsFile, "model" | "ids">; // the checksum says that we wrote it
  if (head.model !== model) throw new Error(`weights of model "${head.model}", expected "${model}"`);
  const numbers = new Float64Array(count);
  for (let k = 0; k < count; k++) numbers[k] = view.getFloat64(prefixLength + headLength + 8 * k, true);
  return { ...head, numbers, ...(format === formatWithPacked ? { packed: bytes.subarray(packedFrom) } : {}) };
}

/** FNV-1a, 32 bits, over everything but the first 12 bytes: against damage, not against malice. */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let k = 12; k < bytes.length; k++) hash = Math.imul(hash ^ (bytes[k] ?? 0), 0x01000193);
  return hash >>> 0;
}

/** Hands out numbers one by one; throws when there are too few, and in {@link end} when there are too many. */
export class NumberReader {
  #next = 0;
  readonly #numbers: Float64Array;
  constructor(numbers: Float64Array) {
    this.#numbers = numbers;
  }
  take(): number {
    const number = this.#numbers[this.#next++];
    if (number === undefined) throw new Error("model weights hold too few numbers");
    return number;
  }
  takeAll(count: number): Float64Array {
    const numbers = this.#numbers.slice(this.#next, this.#next + count);
    if (numbers.length !== count) throw new Error("model weights hold too few numbers");
    this.#next += count;
    return numbers;
  }
  end(): void {
    if (this.#next !== this.#numbers.length) throw new Error("model weights hold too many numbers");
  }
}
