import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { StoredEvent } from "../../domain/stored-event.ts";
import { ArchiveUnreadable, type EventArchive, type PositionRange } from "../../ports/event-archive.ts";
import { type Block, readBlock, readSegment, writeSegment } from "./segment-file.ts";

const formatVersion = 1;
const wholeNumber = z.number().int().min(0);
const indexSchema = z.object({
  format: z.literal(formatVersion),
  first: wholeNumber,
  last: wholeNumber,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  blocks: z.array(
    z.object({
      first: wholeNumber,
      last: wholeNumber,
      offset: wholeNumber,
      bytes: wholeNumber,
      counts: z.record(z.string(), wholeNumber),
    }),
  ),
});
type SegmentIndex = z.infer<typeof indexSchema>;

const namePattern = /^events-(\d{12,15})-(\d{12,15})-([0-9a-f]{16})$/;

/**
 * The archive in a folder: for each segment `NAME.ndjson.gz`, one event a line, and `NAME.index.json` beside it, which
 * says where its blocks lie and what they hold. The name is `events-<first>-<last>-<the first 16 digits of the file's
 * SHA-256>`. A file with a name is complete and on the disk; one that ends in `.partial` may be deleted.
 * The folder may be a shared one: files are written once and never changed.
 */
export function openArchiveFolder(folder: string): EventArchive {
  const indexes = new LRUCache<string, SegmentIndex>({ max: 50 });
  const read = new LRUCache<string, readonly StoredEvent[]>({ max: 8 });
  const eventsPath = (name: string) => join(folder, `${name}.ndjson.gz`);
  const indexPath = (name: string) => join(folder, `${name}.index.json`);

  async function indexOf(name: string): Promise<SegmentIndex> {
    const known = indexes.get(name);
    if (known !== undefined) return known;
    const index = parseIndex(name, await readText(indexPath(name)));
    indexes.set(name, index);
    return index;
  }

  async function verify(name: string): Promise<PositionRange> {
    const { first, last, blocks, sha256 } = await indexOf(name);
    let due = first;
    const found = await readable(name, () =>
      readSegment(eventsPath(name), blocks, (events) => {
        if (events[0]?.position !== due) throw new ArchiveUnreadable(`${name}: position ${due} is missing`);
        due += events.length;
      }),
    );
    if (due !== last + 1) throw new ArchiveUnreadable(`${name} ends before position ${due}`);
    if (found !== sha256) throw new ArchiveUnreadable(`${name}: the file's checksum is ${found}, not ${sha256}`);
    return { first, last };
  }

  return {
    async write(range, pages) {
      await mkdir(folder, { recursive: true });
      const { first, last } = range;
      const partial = join(folder, `events-${padded(first)}-${padded(last)}.${crypto.randomUUID()}.partial`);
      const { blocks, sha256 } = await writeSegment(partial, range, pages).catch(async (error: unknown) => {
        // Only a process that dies leaves one behind.
        await rm(partial, { force: true });
        throw error;
      });
      const name = `events-${padded(first)}-${padded(last)}-${sha256.slice(0, 16)}`;
      await writeDurably(indexPath(name), JSON.stringify({ format: formatVersion, first, last, sha256, blocks }));
      await rename(partial, eventsPath(name));
      await syncFolder(folder);
      await syncFolder(dirname(folder));
      indexes.delete(name);
      await verify(name);
      return name;
    },
    async blocks(name) {
      return (await indexOf(name)).blocks;
    },
    async events(name, block) {
      const key = `${name} ${block}`;
      const known = read.get(key);
      if (known !== undefined) return known;
      const { blocks } = await indexOf(name);
      const place: Block | undefined = blocks[block];
      if (place === undefined) throw new RangeError(`${name} has no block ${block}`);
      const events = await readable(name, () => readBlock(eventsPath(name), place));
      read.set(key, events);
      return events;
    },
    verify,
  };

  async function readText(path: string): Promise<string> {
    return readable(path, () => readFile(path, "utf8"));
  }
}

function parseIndex(name: string, text: string): SegmentIndex {
  const match = namePattern.exec(name);
  let index: SegmentIndex;
  try {
    index = indexSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new ArchiveUnreadable(`the index of ${name} is damaged`, { cause: error });
  }
  const { first, last, sha256 } = index;
  if (match === null || Number(match[1]) !== first || Number(match[2]) !== last || match[3] !== sha256.slice(0, 16)) {
    throw new ArchiveUnreadable(`the index of ${name} is that of another segment`);
  }
  return index;
}

/** What the file system refuses is told with the name of what was to be read. */
async function readable<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ArchiveUnreadable) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new ArchiveUnreadable(`the archive cannot be read, ${name}: ${why}`, { cause: error });
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const partial = `${path}.${crypto.randomUUID()}.partial`;
  const file = await open(partial, "w");
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder, and does not need it.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const padded = (position: number): string => String(position).padStart(12, "0");
