import { csvCell } from "../csv-cell.ts";
import type { ReplayFile } from "../replays/replay-kind.ts";
import { createParquetWriter } from "./parquet-writer.ts";
import type { Column, Row, TableWriter } from "./table.ts";

export const formats = ["ndjson", "csv", "parquet"] as const;
export type Format = (typeof formats)[number];

export const mediaTypes: Readonly<Record<Format, string>> = {
  ndjson: "application/x-ndjson",
  csv: "text/csv; charset=utf-8",
  parquet: "application/vnd.apache.parquet",
};

/** `resumed`: the {@link TableWriter.state} of the writer of before, of which the file holds what was written by then. */
export function createTableWriter(
  format: Format,
  columns: readonly Column[],
  file: ReplayFile,
  resumed: unknown,
): TableWriter {
  if (format === "parquet") return createParquetWriter(columns, file, resumed);
  const line = format === "csv" ? csvLine(columns) : ndjsonLine(columns);
  const header = format === "csv" ? `${columns.map(({ name }) => name).join(",")}\n` : "";
  let begun = (resumed as { readonly begun: boolean } | null)?.begun === true;
  async function begin(): Promise<void> {
    if (begun) return;
    begun = true;
    await file.write(header);
  }
  return {
    room: () => Number.POSITIVE_INFINITY,
    async write(rows) {
      await begin();
      let text = "";
      for (const row of rows) text += line(row);
      await file.write(text);
    },
    cut: () => Promise.resolve(),
    state: () => ({ begun }),
    async end() {
      await begin();
      await file.close();
    },
  };
}

/** Without the fields that are null. */
function ndjsonLine(columns: readonly Column[]): (row: Row) => string {
  const names = columns.map(({ name }) => name);
  return (row) => {
    let text = "";
    for (const name of names) {
      const value = row[name];
      if (value !== null && value !== undefined) text += `${text === "" ? "{" : ","}"${name}":${JSON.stringify(value)}`;
    }
    return text === "" ? "{}\n" : `${text}}\n`;
  };
}

/** RFC 4180, but for lines that end with a line feed alone. */
function csvLine(columns: readonly Column[]): (row: Row) => string {
  const names = columns.map(({ name }) => name);
  return (row) => {
    let text = "";
    for (const name of names) text += `${text === "" ? "" : ","}${csvCell(row[name])}`;
    return `${text}\n`;
  };
}
