import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { CommandFailure, usageFailure } from "../io.ts";
import { fileLines } from "./file-lines.ts";
import { mappingOf, type RowReading, readObject, readRow } from "./interaction-mapping.ts";
import type { SourceFile } from "./source-file.ts";

export interface RowOptions {
  readonly map: ReadonlyMap<string, string>;
  readonly delimiter?: string | undefined;
  readonly skillSeparator: string;
  readonly idPrefix: string;
  readonly lineLimitBytes: number;
}

export interface SourceRow {
  /** 1 for the first one (under the header, where there is one). */
  readonly row: number;
  /** 1-based line of the file on which it ends. */
  readonly line: number;
  readonly reading: RowReading;
}

/** All rows of a file of interactions, in order, held one by one. Throws {@link CommandFailure} where it makes no sense as a whole. */
export function interactionRows(
  file: SourceFile,
  options: RowOptions,
  onIgnored: (columns: readonly string[]) => void,
): AsyncGenerator<SourceRow> {
  return file.format === "csv" || file.format === "tsv" ? csvRows(file, options, onIgnored) : ndjsonRows(file, options);
}

async function* csvRows(
  file: SourceFile,
  options: RowOptions,
  onIgnored: (columns: readonly string[]) => void,
): AsyncGenerator<SourceRow> {
  const records = csvRecords(file, options);
  const first = await records.next();
  if (first.done) throw new CommandFailure(`${file.name} is empty: a CSV file starts with a line of column names`);
  const header = first.value.record.map((name) => name.trim());
  const mapping = mappingOf(header, options.map, options);
  if ("problem" in mapping) throw usageFailure(`${file.name}: ${mapping.problem}`);
  onIgnored(mapping.ignored);
  let row = 0;
  for await (const { record, info } of records) {
    row += 1;
    yield { row, line: info.lines, reading: readRow(mapping, record, header.length, row) };
  }
}

async function* csvRecords(
  file: SourceFile,
  options: RowOptions,
): AsyncGenerator<{ record: readonly string[]; info: Info }> {
  const parser = parse({
    bom: true,
    delimiter: options.delimiter ?? (file.format === "tsv" ? "\t" : ","),
    info: true,
    // A quote that is never closed would swallow the rest of the file.
    max_record_size: options.lineLimitBytes,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  // Errors of the file reach the parser, and are thrown where it is read.
  pipeline(createReadStream(file.path, { highWaterMark: 1 << 18 }), parser, () => {});
  try {
    yield* parser as AsyncIterable<{ record: readonly string[]; info: Info }>;
  } catch (error) {
    if (error instanceof CsvError) throw new CommandFailure(`${file.name}: not readable as CSV: ${error.message}`);
    throw error;
  } finally {
    parser.destroy();
  }
}

async function* ndjsonRows(file: SourceFile, options: RowOptions): AsyncGenerator<SourceRow> {
  let row = 0;
  for await (const { line, text } of fileLines(file.path, options.lineLimitBytes)) {
    row += 1;
    yield { row, line, reading: readJsonLine(text, options, row) };
  }
}

function readJsonLine(text: string | null, { idPrefix, lineLimitBytes }: RowOptions, row: number): RowReading {
  if (text === null) return { ok: false, problem: `longer than ${lineLimitBytes} bytes` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, problem: `not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  return readObject(value, idPrefix, row);
}
