import { type FileHandle, open } from "node:fs/promises";
import { CommandFailure, count } from "../io.ts";
import type { RefusedRow } from "./import-rows.ts";

export interface Refusals {
  add(row: RefusedRow): void;
  /** The first of this run. */
  readonly first: readonly RefusedRow[];
  /** For the screen, where `total` rows were refused. */
  lines(total: number): string[];
  /** Resolves when every row is in the file. */
  close(): Promise<void>;
}

const shownMax = 20;

/** Keeps the first refused rows, and writes all of them to a file of NDJSON where one is named. */
export async function openRefusals(path: string | undefined, append: boolean): Promise<Refusals> {
  const first: RefusedRow[] = [];
  const file = path === undefined ? null : await openFile(path, append);
  let writing: Promise<unknown> = Promise.resolve();
  return {
    first,
    add(row) {
      if (first.length < shownMax) first.push(row);
      if (file !== null) writing = writing.then(() => file.write(`${JSON.stringify(row)}\n`));
      writing.catch(() => {});
    },
    lines(total) {
      const more = total - first.length;
      return [
        ...first.map(({ file, line, problem }) => `  ${file === undefined ? "line " : `${file}:`}${line}: ${problem}`),
        ...(more > 0
          ? [`  and ${count(more)} more${path === undefined ? "; --refused FILE writes all of them" : ""}`]
          : []),
        ...(total > 0 && path !== undefined ? [`  all of them: ${path}`] : []),
      ];
    },
    async close() {
      await writing.finally(() => file?.close());
    },
  };
}

async function openFile(path: string, append: boolean): Promise<FileHandle> {
  try {
    return await open(path, append ? "a" : "w");
  } catch (error) {
    throw new CommandFailure(`--refused ${path}: ${error instanceof Error ? error.message : error}`);
  }
}
