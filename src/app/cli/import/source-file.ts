import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { CommandFailure, type Io } from "../io.ts";

export type FileFormat = "csv" | "tsv" | "ndjson" | "json";

export interface SourceFile {
  readonly path: string;
  /** As the user named it. */
  readonly name: string;
  readonly format: FileFormat;
  /** SHA-256 of the content, hex. */
  readonly hash: string;
  readonly lines: number;
  /** Removes what was made to read it. */
  close(): Promise<void>;
}

/**
 * Reads a file through once, for its hash and its number of lines: an import can then be resumed, and show how far it
 * is. Standard input ("-") is first written to a temporary file, for the same reason.
 */
export async function openSourceFile(io: Io, name: string, format: FileFormat | undefined): Promise<SourceFile> {
  if (name !== "-") return measured(name, name, format, async () => {});
  const folder = await mkdtemp(join(tmpdir(), "proximal-import-"));
  const close = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const path = join(folder, "stdin");
    await pipeline(io.stdin, createWriteStream(path), { signal: io.signal });
    return await measured(path, "standard input", format, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function measured(
  path: string,
  name: string,
  given: FileFormat | undefined,
  close: () => Promise<void>,
): Promise<SourceFile> {
  await mustBeFile(path, name);
  const digest = createHash("sha256");
  let lines = 0;
  let last = 10;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    digest.update(chunk);
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
    last = chunk[chunk.length - 1] ?? last;
  }
  if (last !== 10) lines += 1;
  return { path, name, format: given ?? (await guessedFormat(path)), hash: digest.digest("hex"), lines, close };
}

async function mustBeFile(path: string, name: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    throw new CommandFailure(found.code === "ENOENT" ? `${name}: there is no such file` : `${name}: ${found.message}`);
  }
  if (!found.isFile()) throw new CommandFailure(`${name} is not a file`);
}

const formatsByExtension: Readonly<Record<string, FileFormat>> = {
  ".csv": "csv",
  ".tsv": "tsv",
  ".ndjson": "ndjson",
  ".jsonl": "ndjson",
  ".json": "json",
};

async function guessedFormat(path: string): Promise<FileFormat> {
  const known = formatsByExtension[extname(path).toLowerCase()];
  if (known !== undefined) return known;
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    const start = buffer
      .toString("utf8", 0, bytesRead)
      .replace(/^\uFEFF/, "")
      .trimStart();
    if (start.startsWith("PK\u0003\u0004") || start.startsWith("<")) {
      throw new CommandFailure(`${path} is no CSV or JSON: packages and items of QTI are read by proximal import qti`);
    }
    if (start.startsWith("[")) return "json";
    return start.startsWith("{") ? "ndjson" : "csv";
  } finally {
    await file.close();
  }
}
