import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { historiesFolder, historyPath } from "./history-file.ts";

/** What is stored beside the histories. */
export interface Digests {
  readonly [history: string]: {
    /** SHA-256 of the file of events: it never changes. */
    readonly file: string;
    /** SHA-256 of the rows that each model makes of it, and the row format they are in. */
    readonly rows: Readonly<Record<string, { readonly format: number; readonly digest: string }>>;
  };
}

export const digestsPath = join(historiesFolder, "digests.json");
export const answersPath = (history: string, model: string): string =>
  join(historiesFolder, `${history}.${model}.answers.ndjson`);

export const readDigests = (): Digests =>
  existsSync(digestsPath) ? (JSON.parse(readFileSync(digestsPath, "utf8")) as Digests) : {};

/** [] where none were recorded. */
export function readAnswers(history: string, model: string): string[] {
  const path = answersPath(history, model);
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
}

export const fileDigest = (history: string): string =>
  createHash("sha256")
    .update(readFileSync(historyPath(history)))
    .digest("hex");
