import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * The file: the magic line, the number of rows (8 bytes), the rows, SHA-256 of all that. A row is its key, its version
 * (float64), the number of fields (4 bytes) and each field's name and value; texts and values carry their length in 4
 * bytes. Numbers are little-endian.
 */
const magic = Buffer.from("PROXIMAL-ROWS 1\n", "latin1");
const digestLength = 32;
/** Between two chunks everything else gets its turn; fewer turns, and a save takes longer where others work. */
const chunkLength = 1 << 21;
/** Rows taken out of a file between two turns of the event loop. */
const rowsPerTurn = 2000;

export interface SnapshotRow {
  readonly key: string;
  readonly version: number;
  readonly fields: ReadonlyMap<string, Buffer>;
}

export type LoadedSnapshot =
  | { readonly loaded: true; readonly rows: number }
  /** `missing`: there is no file. Otherwise it is not one of ours, of another format, or damaged. */
  | { readonly loaded: false; readonly missing: boolean; readonly why: string };

/** Either the whole new file stands under the name afterwards, durable, or the old one does. */
export async function writeSnapshot(
  path: string,
  rows: readonly SnapshotRow[],
): Promise<{ rows: number; bytes: number }> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, "w");
  try {
    const out = new ChunkWriter(file);
    out.bytes(magic);
    out.float64(rows.length);
    for (const row of rows) {
      out.text(row.key);
      out.float64(row.version);
      out.uint32(row.fields.size);
      for (const [name, value] of row.fields) {
        out.text(name);
        out.sized(value);
      }
      if (out.pending >= chunkLength) await out.flush();
    }
    await out.finish();
    await file.sync();
    await file.close();
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return { rows: rows.length, bytes: out.written };
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

/** A rename is durable once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Puts pieces side by side and writes them in large chunks, hashing on the way. Nothing is made for each piece. */
class ChunkWriter {
  readonly #file: FileHandle;
  readonly #hash: Hash = createHash("sha256");
  #chunk = Buffer.allocUnsafe(2 * chunkLength);
  pending = 0;
  written = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  bytes(piece: Buffer): void {
    this.#reserve(piece.length);
    this.#chunk.set(piece, this.pending);
    this.pending += piece.length;
  }
  sized(piece: Buffer): void {
    this.uint32(piece.length);
    this.bytes(piece);
  }
  text(value: string): void {
    this.#reserve(4 + 3 * value.length);
    const length = this.#chunk.write(value, this.pending + 4);
    this.uint32(length);
    this.pending += length;
  }
  uint32(value: number): void {
    this.#reserve(4);
    this.pending = this.#chunk.writeUInt32LE(value, this.pending);
  }
  float64(value: number): void {
    this.#reserve(8);
    this.pending = this.#chunk.writeDoubleLE(value, this.pending);
  }
  async flush(): Promise<void> {
    const chunk = this.#chunk.subarray(0, this.pending);
    this.pending = 0;
    this.#hash.update(chunk);
    await this.#write(chunk);
  }
  async finish(): Promise<void> {
    await this.flush();
    await this.#write(this.#hash.digest());
  }
  async #write(chunk: Buffer): Promise<void> {
    await this.#file.writeFile(chunk);
    this.written += chunk.length;
  }
  #reserve(bytes: number): void {
    if (this.pending + bytes <= this.#chunk.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.pending + bytes));
    larger.set(this.#chunk.subarray(0, this.pending));
    this.#chunk = larger;
  }
}

/** Reads a file back, checked to the last byte before a row is believed. */
export async function readSnapshot(path: string): Promise<{ loaded: LoadedSnapshot; snapshot: SnapshotRow[] | null }> {
  const refuse = (why: string, missing = false) => ({
    loaded: { loaded: false, missing, why } as const,
    snapshot: null,
  });
  let file: Buffer;
  try {
    file = await readFile(path);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return refuse(missing ? `there is no ${path}` : `cannot read ${path}: ${String(error)}`, missing);
  }
  if (!file.subarray(0, magic.length).equals(magic)) return refuse(`${path} is not a row snapshot of format 1`);
  const end = file.length - digestLength;
  if (end < magic.length + 8 || !(await sha256(file.subarray(0, end))).equals(file.subarray(end))) {
    return refuse(`${path} is damaged: its SHA-256 does not match`);
  }
  const snapshot = await parseRows(new ChunkReader(file, magic.length));
  return { loaded: { loaded: true, rows: snapshot.length }, snapshot };
}

async function sha256(bytes: Buffer): Promise<Buffer> {
  const hash = createHash("sha256");
  for (let at = 0; at < bytes.length; at += chunkLength) {
    hash.update(bytes.subarray(at, at + chunkLength));
    await nextTurn();
  }
  return hash.digest();
}

async function parseRows(input: ChunkReader): Promise<SnapshotRow[]> {
  const count = input.float64();
  const rows: SnapshotRow[] = [];
  for (let row = 0; row < count; row += 1) {
    const key = input.text();
    const version = input.float64();
    const fields = new Map<string, Buffer>();
    for (let left = input.uint32(); left > 0; left -= 1) fields.set(input.text(), input.sized());
    rows.push({ key, version, fields });
    if (row % rowsPerTurn === 0) await nextTurn();
  }
  return rows;
}

class ChunkReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  uint32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }
  float64(): number {
    this.#at += 8;
    return this.#bytes.readDoubleLE(this.#at - 8);
  }
  text(): string {
    return this.#slice().toString();
  }
  /** A copy: a slice would keep the whole file in memory. */
  sized(): Buffer {
    return Buffer.from(this.#slice());
  }
  #slice(): Buffer {
    const length = this.uint32();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
