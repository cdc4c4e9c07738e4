import { readFile, stat } from "node:fs/promises";
import { type ElementLines, elementLines } from "./element-lines.ts";
import { UnreadableFile } from "./found.ts";

/** One JSON value held in memory whole; what is larger comes as NDJSON. */
const jsonBytesMax = 256 * 1024 * 1024;

export interface JsonFile {
  readonly value: unknown;
  readonly lines: ElementLines;
}

/** Reads a file of one JSON value, and on which lines the elements of its arrays begin. Throws {@link UnreadableFile}. */
export async function readJsonFile(path: string, name: string): Promise<JsonFile> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UnreadableFile(error.code === "ENOENT" ? `${name}: there is no such file` : error.message);
  });
  if (!found.isFile()) throw new UnreadableFile(`${name} is not a file`);
  if (found.size > jsonBytesMax) {
    throw new UnreadableFile(`${name} is larger than ${jsonBytesMax / 1024 ** 2} MiB, too large for one JSON value`);
  }
  const bytes = await readFile(path);
  const text = bytes.toString("utf8").replace(/^\uFEFF/, "");
  try {
    return { value: JSON.parse(text) as unknown, lines: elementLines(text) };
  } catch (error) {
    if (error instanceof RangeError) throw new UnreadableFile(`${name} is nested too deep`);
    throw new UnreadableFile(`${name} is not JSON: ${error instanceof Error ? error.message : error}`);
  }
}
