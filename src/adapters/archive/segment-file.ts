import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { z } from "zod";
import type { StoredEvent } from "../../domain/stored-event.ts";
import { categoryOf } from "../../domain/streams.ts";
import { ArchiveUnreadable, type BlockSummary, blockEvents, type PositionRange } from "../../ports/event-archive.ts";

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** One event a line. Each block is a gzip member of its own: `zcat` reads the file whole, and we read it by parts. */
const lineSchema = z.strictObject({
  position: z.number().int().min(1),
  revision: z.number().int().min(1),
  recordedAt: z.iso.datetime(),
  eventId: z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
  stream: z.string().min(1),
  type: z.string().min(1),
  data: z.unknown(),
  metadata: z.unknown(),
});

/** Where a block lies in its file. */
export interface Block extends BlockSummary {
  readonly offset: number;
  readonly bytes: number;
}

export interface WrittenSegment {
  readonly blocks: readonly Block[];
  /** SHA-256 of the file, in hex. */
  readonly sha256: string;
}

/** Writes the events to a new file, and resolves when they are on the disk. Rejects where they are not just the range. */
export async function writeSegment(
  path: string,
  { first, last }: PositionRange,
  pages: AsyncIterable<readonly StoredEvent[]>,
): Promise<WrittenSegment> {
  const file = await open(path, "w");
  try {
    const hash = createHash("sha256");
    const blocks: Block[] = [];
    let offset = 0;
    let next = first;
    async function writeBlock(events: readonly StoredEvent[]): Promise<void> {
      const bytes = await zip(events.map(lineOf).join(""), { level: 6 });
      hash.update(bytes);
      await writeAll(file, bytes);
      const range = { first: events[0]?.position ?? 0, last: events[events.length - 1]?.position ?? 0 };
      blocks.push({ ...range, counts: countsOf(events), offset, bytes: bytes.length });
      offset += bytes.length;
    }
    let gathered: StoredEvent[] = [];
    for await (const page of pages) {
      for (const event of page) {
        if (event.position !== next || next > last) {
          throw new Error(`position ${event.position} where ${next} of a segment to ${last} was due`);
        }
        next += 1;
        gathered.push(event);
        if (gathered.length === blockEvents) {
          await writeBlock(gathered);
          gathered = [];
        }
      }
    }
    if (gathered.length > 0) await writeBlock(gathered);
    if (next !== last + 1) throw new Error(`the segment to ${last} ended before position ${next}`);
    await file.sync();
    return { blocks, sha256: hash.digest("hex") };
  } finally {
    await file.close();
  }
}

/** Reads a whole file as {@link writeSegment} wrote it; gives the checksum of what is there. */
export async function readSegment(
  path: string,
  blocks: readonly Block[],
  onBlock: (events: readonly StoredEvent[]) => void,
): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(path, "r");
  try {
    let end = 0;
    for (const block of blocks) {
      const bytes = await readBytes(file, path, block);
      hash.update(bytes);
      onBlock(await decode(path, block, bytes));
      end = block.offset + block.bytes;
    }
    const { size } = await file.stat();
    if (size !== end) throw new ArchiveUnreadable(`${path} has ${size} bytes, its blocks have ${end}`);
    return hash.digest("hex");
  } finally {
    await file.close();
  }
}

export async function readBlock(path: string, block: Block): Promise<StoredEvent[]> {
  const file = await open(path, "r");
  try {
    return await decode(path, block, await readBytes(file, path, block));
  } finally {
    await file.close();
  }
}

async function readBytes(file: FileHandle, path: string, { offset, bytes, first }: Block): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  let at = 0;
  while (at < bytes) {
    const { bytesRead } = await file.read(buffer, at, bytes - at, offset + at);
    if (bytesRead === 0) throw new ArchiveUnreadable(`${path} ends within the block of position ${first}`);
    at += bytesRead;
  }
  return buffer;
}

async function decode(path: string, { first, last }: Block, bytes: Buffer): Promise<StoredEvent[]> {
  try {
    const lines = (await unzip(bytes)).toString("utf8").trimEnd().split("\n");
    const events = lines.map((line) => lineSchema.parse(JSON.parse(line)) as StoredEvent);
    const inOrder = events.every(({ position }, i) => position === first + i);
    if (!inOrder || events.length !== last - first + 1) throw new Error("not the positions it should hold");
    return events;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ArchiveUnreadable(`${path}, block of position ${first}: ${why.slice(0, 300)}`, { cause: error });
  }
}

function lineOf({ position, revision, recordedAt, eventId, stream, type, data, metadata }: StoredEvent): string {
  return `${JSON.stringify({ position, revision, recordedAt, eventId, stream, type, data, metadata })}\n`;
}

function countsOf(events: readonly StoredEvent[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { stream, type } of events) {
    const key = `${categoryOf(stream)}\t${type}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}
