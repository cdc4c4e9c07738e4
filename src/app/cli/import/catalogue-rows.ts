import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { type LeftOut, type Place, type RefusedElement, refused } from "../../../adapters/item-bank-files/found.ts";
import { readJsonFile } from "../../../adapters/item-bank-files/json-file.ts";
import { CommandFailure } from "../io.ts";
import { fileLines } from "./file-lines.ts";
import type { SourceFile } from "./source-file.ts";

/** One item, skill or track as a file has it: checked by the command it goes to. */
export interface CatalogueInput {
  readonly kind: "input";
  readonly at: Place;
  readonly input: unknown;
}

export type CatalogueRow = CatalogueInput | RefusedElement | LeftOut;

/**
 * Rows of a CSV (one level: lists are separated by ;), NDJSON or JSON file (an array, or an object that holds one). What
 * cannot be read is refused by itself, with its line.
 */
export function catalogueRows(file: SourceFile, lineLimitBytes: number): AsyncGenerator<CatalogueRow> {
  if (file.format === "json") return jsonRows(file);
  return file.format === "ndjson" ? ndjsonRows(file, lineLimitBytes) : csvRows(file, lineLimitBytes);
}

async function* ndjsonRows(file: SourceFile, lineLimitBytes: number): AsyncGenerator<CatalogueRow> {
  for await (const { line, text } of fileLines(file.path, lineLimitBytes)) {
    const at = { file: file.name, line };
    yield text === null ? refused(at, null, `longer than ${lineLimitBytes} bytes`) : parsed(text, at);
  }
}

function parsed(text: string, at: Place): CatalogueRow {
  try {
    return { kind: "input", at, input: JSON.parse(text) as unknown };
  } catch (error) {
    return refused(at, null, `not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

async function* jsonRows(file: SourceFile): AsyncGenerator<CatalogueRow> {
  const { value, lines } = await readJsonFile(file.path, file.name);
  const arrays = (Array.isArray(value) ? [["", value]] : Object.entries((value ?? {}) as object)).filter(
    (entry): entry is [string, unknown[]] => Array.isArray(entry[1]),
  );
  if (arrays.some(([name]) => name === "CFItems")) {
    throw new CommandFailure(`${file.name} is a CASE package: read it by proximal import case`);
  }
  const [only] = arrays;
  if (only === undefined || arrays.length > 1) {
    throw new CommandFailure(`${file.name}: a JSON array, or an object that holds one, is asked for`);
  }
  const [name, all] = only;
  for (const [i, input] of all.entries()) {
    const line = lines.get(Array.isArray(value) ? `${i}` : `${name}/${i}`) ?? 1;
    yield { kind: "input", at: { file: file.name, line }, input };
  }
}

async function* csvRows(file: SourceFile, lineLimitBytes: number): AsyncGenerator<CatalogueRow> {
  const parser = parse({
    bom: true,
    columns: (names: string[]) => names.map((name) => name.trim()),
    delimiter: file.format === "tsv" ? "\t" : ",",
    info: true,
    max_record_size: lineLimitBytes,
    relax_column_count: true,
    // A quote within a cell that does not begin with one is a character like any other.
    relax_quotes: true,
    skip_empty_lines: true,
  });
  pipeline(createReadStream(file.path), parser, () => {});
  let last = 1;
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRow>) {
      last = info.lines;
      const input = Object.fromEntries(Object.entries(record).flatMap(fieldOf));
      // An empty cell, or no such column: an item of no skill.
      if ("itemId" in input) input.skillIds ??= [];
      yield { kind: "input", at: { file: file.name, line: info.lines }, input };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // Where a quote does not end nobody can tell where the next row begins.
    yield refused({ file: file.name, line: last + 1 }, null, `${error.message}; rows from here on are not read`);
  }
}

interface CsvRow {
  readonly record: Readonly<Record<string, string>>;
  readonly info: { readonly lines: number };
}

const lists = new Set(["skillIds", "tags", "itemIds", "pinnedItemIds", "barredItemIds", "externalIds", "parentIds"]);

/** `skill_ids` and `skillIds` are the same field; an empty cell is a field left out. */
function fieldOf([column, cell]: [string, string]): [string, unknown][] {
  const name = column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const text = cell.trim();
  if (text === "") return [];
  const parts = (): string[] =>
    text
      .split(";")
      .map((part) => part.trim())
      .filter((part) => part !== "");
  if (lists.has(name)) return [[name, parts()]];
  if (name === "prerequisites") return [[name, parts().map(prerequisiteOf)]];
  if (name === "difficulty" || name === "expectedSeconds")
    return [[name, Number.isFinite(Number(text)) ? Number(text) : text]];
  return [[name, text]];
}

/** `fractions`, or `fractions:0.5` with a weight. */
function prerequisiteOf(part: string): { skillId: string; weight?: number } {
  const match = /^(.+):([\d.]+)$/.exec(part);
  return match?.[1] === undefined ? { skillId: part } : { skillId: match[1], weight: Number(match[2]) };
}
