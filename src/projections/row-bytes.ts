import { promisify } from "node:util";
import { deflate, inflate } from "node:zlib";

/** A stored row, its key without the namespace. */
export interface NamedRow {
  readonly name: string;
  readonly version: number;
  readonly fields: ReadonlyMap<string, Buffer>;
}

const compress = promisify(deflate);
const expand = promisify(inflate);

/**
 * Rows as compressed bytes: of each its name, version (float64), number of fields, and each field's name and value; texts
 * and values after their length. Lengths and counts take 4 bytes; numbers are little-endian. Compressing is done in
 * other threads, and its checksum (Adler-32) tells damage.
 */
export function packRows(rows: readonly NamedRow[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const uint32 = (value: number): void => {
    const piece = Buffer.allocUnsafe(4);
    piece.writeUInt32LE(value);
    pieces.push(piece);
  };
  const sized = (bytes: Buffer): void => {
    uint32(bytes.length);
    pieces.push(bytes);
  };
  for (const { name, version, fields } of rows) {
    sized(Buffer.from(name));
    const number = Buffer.allocUnsafe(8);
    number.writeDoubleLE(version);
    pieces.push(number);
    uint32(fields.size);
    for (const [field, value] of fields) {
      sized(Buffer.from(field));
      sized(value);
    }
  }
  return compress(Buffer.concat(pieces), { level: 1 });
}

/** Rejects for bytes that are damaged. */
export async function unpackRows(packed: Buffer): Promise<NamedRow[]> {
  const bytes = await expand(packed);
  const rows: NamedRow[] = [];
  let at = 0;
  const uint32 = (): number => {
    at += 4;
    return bytes.readUInt32LE(at - 4);
  };
  const sized = (): Buffer => {
    const length = uint32();
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const name = sized().toString();
    const version = bytes.readDoubleLE(at);
    at += 8;
    const fields = new Map<string, Buffer>();
    for (let left = uint32(); left > 0; left -= 1) fields.set(sized().toString(), sized());
    rows.push({ name, version, fields });
  }
  return rows;
}
