import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { pipeline } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { CommandFailure } from "../io.ts";
import { fileLines } from "./file-lines.ts";
import type { SourceFile } from "./source-file.ts";

/** One item, skill or track as a file has it: checked by the command it goes to. */
export interface CatalogueRow {
  /** Line of the file, or place in a JSON array, 1-based. */
  readonly line: number;
  readonly input: unknown;
  /** Set where the line cannot be read at all. */
  readonly problem?: string;
}

const jsonBytesMax = 256 * 1024 * 1024;

/** Rows of a CSV (one level: lists are separated by ;), NDJSON or JSON file (an array, or an object that holds one). */
export function catalogueRows(file: SourceFile, lineLimitBytes: number): AsyncGenerator<CatalogueRow> {
  if (file.format === "json") return jsonRows(file);
  return file.format === "ndjson" ? ndjsonRows(file, lineLimitBytes) : csvRows(file, lineLimitBytes);
}

async function* ndjsonRows(file: SourceFile, lineLimitBytes: number): AsyncGenerator<CatalogueRow> {
  for await (const { line, text } of fileLines(file.path, lineLimitBytes)) {
    if (text === null) yield { line, input: null, problem: `longer than ${lineLimitBytes} bytes` };
    else yield { line, ...parsed(text) };
  }
}

function parsed(text: string): { input: unknown; problem?: string } {
  try {
    return { input: JSON.parse(text) as unknown };
  } catch (error) {
    return { input: null, problem: `not JSON: ${error instanceof Error ? error.message : error}` };
  }
}

async function* jsonRows(file: SourceFile): AsyncGenerator<CatalogueRow> {
  if ((await stat(file.path)).size > jsonBytesMax) {
    throw new CommandFailure(`${file.name} is too large for one JSON value: write one object a line (.ndjson)`);
  }
  const { input, problem } = parsed(await readFile(file.path, "utf8"));
  if (problem !== undefined) throw new CommandFailure(`${file.name} is ${problem}`);
  const arrays = Array.isArray(input) ? [input] : Object.values((input ?? {}) as object).filter(Array.isArray);
  const [all] = arrays;
  if (all === undefined || arrays.length > 1) {
    throw new CommandFailure(`${file.name}: a JSON array, or an object that holds one, is asked for`);
  }
  for (const [i, one] of all.entries()) yield { line: i + 1, input: one };
}

async function* csvRows(file: SourceFile, lineLimitBytes: number): AsyncGenerator<CatalogueRow> {
  const delimiter = file.format === "tsv" ? "\t" : ",";
  const parser = parse({
    bom: true,
    columns: (names: string[]) => names.map((name) => name.trim()),
    delimiter,
    info: true,
    max_record_size: lineLimitBytes,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  pipeline(createReadStream(file.path), parser, () => {});
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRow>) {
      yield { line: info.lines, input: Object.fromEntries(Object.entries(record).flatMap(fieldOf)) };
    }
  } catch (error) {
    if (error instanceof CsvError) throw new CommandFailure(`${file.name}: not readable as CSV: ${error.message}`);
    throw error;
  }
}

interface CsvRow {
  readonly record: Readonly<Record<string, string>>;
  readonly info: { readonly lines: number };
}

const lists = new Set(["skillIds", "tags", "itemIds", "pinnedItemIds", "barredItemIds"]);

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
  if (name === "difficulty") return [[name, Number.isFinite(Number(text)) ? Number(text) : text]];
  return [[name, text]];
}

/** `fractions`, or `fractions:0.5` with a weight. */
function prerequisiteOf(part: string): { skillId: string; weight?: number } {
  const match = /^(.+):([\d.]+)$/.exec(part);
  return match?.[1] === undefined ? { skillId: part } : { skillId: match[1], weight: Number(match[2]) };
}
