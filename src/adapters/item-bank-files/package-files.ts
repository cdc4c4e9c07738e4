import type { Dirent } from "node:fs";
import { createReadStream } from "node:fs";
import { open, readdir, realpath } from "node:fs/promises";
import { join, posix } from "node:path";
import yauzl from "yauzl";
import { type RefusedElement, refused, UnreadableFile } from "./found.ts";

/** The files of a content package, read one by one. */
export interface PackageFiles {
  /** Paths with forward slashes, from the top of the package, sorted. */
  readonly names: readonly string[];
  /** Entries that no file of a package may be. */
  readonly refused: readonly RefusedElement[];
  /** The bytes of one of them; fails on the way where they are not what the archive says. */
  read(name: string): AsyncIterable<Buffer>;
  close(): void;
}

/** Files in a package, at most: ten times a bank of 50,000 items with their pictures. */
const filesMax = 500_000;

/** A folder, or a zip file, as a package. Throws {@link UnreadableFile}. */
export async function openFolder(path: string): Promise<PackageFiles> {
  const root = await realpath(path);
  const names: string[] = [];
  const bad: RefusedElement[] = [];
  const toVisit = [""];
  for (let folder = toVisit.pop(); folder !== undefined; folder = toVisit.pop()) {
    for (const entry of await entriesOf(join(root, folder))) {
      const name = posix.join(folder, entry.name);
      if (entry.isDirectory()) toVisit.push(name);
      else if (entry.isFile()) names.push(name);
      else if (entry.isSymbolicLink()) bad.push(refused({ file: name, line: 1 }, null, "a symbolic link is not read"));
      if (names.length > filesMax) throw new UnreadableFile(`${path} holds more than ${filesMax} files`);
    }
  }
  names.sort();
  return { names, refused: bad, read: (name) => createReadStream(join(root, ...name.split("/"))), close: () => {} };
}

const entriesOf = (folder: string): Promise<Dirent[]> => readdir(folder, { withFileTypes: true });

/**
 * A zip file. Nothing is written to a disk, so a path that leads out of it ("zip slip") could do no harm; it is refused all
 * the same, as are encrypted entries and a name given twice. Of an entry no more is read than it says it unpacks to.
 */
export async function openZip(path: string): Promise<PackageFiles> {
  // Names are checked here, one by one: the library would give up the whole file for one bad name.
  const options = { lazyEntries: true, autoClose: false, decodeStrings: false, validateEntrySizes: true };
  const zip = await yauzl.openPromise(path, options).catch((error: Error) => {
    throw new UnreadableFile(`${path} is not a zip file that can be read: ${error.message}`);
  });
  const entries = new Map<string, yauzl.Entry>();
  const bad: RefusedElement[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      const name = nameOf(entry);
      if (name.endsWith("/")) continue;
      const problem = problemOf(name, entry, entries);
      if (problem !== null) bad.push(refused({ file: name.slice(0, 500), line: 1 }, null, problem));
      else entries.set(name, entry);
      if (entries.size > filesMax) throw new UnreadableFile(`${path} holds more than ${filesMax} files`);
    }
  } catch (error) {
    zip.close();
    if (error instanceof UnreadableFile) throw error;
    throw new UnreadableFile(`${path}: its list of files is broken: ${error instanceof Error ? error.message : error}`);
  }
  return {
    names: [...entries.keys()].sort(),
    refused: bad,
    read: (name) => readEntry(zip, entries.get(name)),
    close: () => zip.close(),
  };
}

function nameOf(entry: yauzl.Entry): string {
  const raw = entry.fileNameRaw;
  return yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, raw, entry.extraFields, false);
}

function problemOf(name: string, entry: yauzl.Entry, known: ReadonlyMap<string, unknown>): string | null {
  const invalid = yauzl.validateFileName(name);
  if (invalid !== null) return `${invalid}: a path must stay within the package`;
  if (known.has(name)) return "the package holds this name twice; the first one counts";
  if (!entry.canDecodeFileData()) return "encrypted, or packed by a method other than store and deflate";
  return null;
}

async function* readEntry(zip: yauzl.ZipFile, entry: yauzl.Entry | undefined): AsyncGenerator<Buffer> {
  if (entry === undefined) throw new Error("no such entry");
  const stream = await zip.openReadStreamPromise(entry);
  try {
    yield* stream as AsyncIterable<Buffer>;
  } finally {
    stream.destroy();
  }
}

/** Whether a file begins as a zip file does. */
export async function looksLikeZip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.readUInt32BE(0) === 0x504b0304;
  } finally {
    await file.close();
  }
}

/** What a reference in a package means, from the folder it stands in; null where it leads out of the package. */
export function withinPackage(folder: string, href: string): string | null {
  const [reference = ""] = href.split(/[?#]/);
  let decoded = reference;
  try {
    decoded = decodeURIComponent(reference);
  } catch {
    // A bare percent sign: taken as it is written.
  }
  const path = decoded.replaceAll("\\", "/");
  if (posix.isAbsolute(path) || /^[a-z][a-z\d+.-]*:/i.test(path)) return null;
  const name = posix.normalize(posix.join(folder, path));
  return name === "." || name === ".." || name.startsWith("../") ? null : name;
}
