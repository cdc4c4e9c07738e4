import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { ReplayFile } from "../replays/replay-kind.ts";
import type { Column, ColumnType, Row, TableWriter } from "./table.ts";

type SchemaElement = ParquetWriter["schema"][number];

/**
 * Rows of a group, which is what is held in memory, and what readers take at a time. A file may be cut and gone on with after
 * a group, since what is written of it by then stands alone; only the footer, at the end, names all groups.
 */
export const rowGroupRows = 25_000;

interface State {
  /** Of the file so far: what the groups before say of themselves, in {@link tagged} JSON. */
  readonly rowGroups: string;
  readonly offset: number;
}

/** One Parquet file, of row groups of a fixed number of rows unless it is cut: gone on with, it is the same to the byte. */
export function createParquetWriter(columns: readonly Column[], file: ReplayFile, resumed: unknown): TableWriter {
  const bytes = new ByteWriter();
  const parquet = new ParquetWriter({ writer: bytes, schema: schemaOf(columns), createdBy: "proximal" });
  let waiting: Row[] = [];
  if (resumed !== null) goOn(resumed as State);

  function goOn({ rowGroups, offset }: State): void {
    bytes.index = 0;
    bytes.offset = offset;
    parquet.row_groups = untagged(rowGroups) as ParquetWriter["row_groups"];
    parquet.num_rows = parquet.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
  }

  async function writeGroup(): Promise<void> {
    const columnData = columns.map((column) => ({
      name: column.name,
      data: waiting.map((row) => physical(column.type, row[column.name])),
      offsetIndex: false,
    }));
    await parquet.write({ columnData, rowGroupSize: rowGroupRows });
    // For indexes of pages, which are not written.
    parquet.pendingIndexes = [];
    waiting = [];
    await writeOut();
  }

  async function writeOut(): Promise<void> {
    await file.write(bytes.getBytes());
    bytes.index = 0;
  }

  return {
    room: () => rowGroupRows - waiting.length,
    async write(rows) {
      for (const row of rows) waiting.push(row);
      if (waiting.length > rowGroupRows) throw new Error("more rows than there is room for");
      if (waiting.length === rowGroupRows) await writeGroup();
    },
    async cut() {
      if (waiting.length > 0) await writeGroup();
    },
    state: () =>
      waiting.length > 0 ? null : ({ rowGroups: tagged(parquet.row_groups), offset: bytes.offset } satisfies State),
    async end() {
      if (waiting.length > 0) await writeGroup();
      await parquet.finish();
      await writeOut();
      await file.close();
    },
  };
}

const elements: Readonly<Record<Exclude<ColumnType, "list">, Omit<SchemaElement, "name">>> = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } },
  integer: { type: "INT64" },
  number: { type: "DOUBLE" },
  boolean: { type: "BOOLEAN" },
  time: {
    ...{ type: "INT64", converted_type: "TIMESTAMP_MILLIS" },
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
  },
  json: { type: "BYTE_ARRAY", converted_type: "JSON", logical_type: { type: "JSON" } },
};

function schemaOf(columns: readonly Column[]): SchemaElement[] {
  const leaves = columns.flatMap(({ name, type, nullable }): SchemaElement[] => {
    const repetition_type = nullable ? "OPTIONAL" : "REQUIRED";
    if (type !== "list") return [{ name, repetition_type, ...elements[type] }];
    return [
      { name, repetition_type, converted_type: "LIST", logical_type: { type: "LIST" }, num_children: 1 },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { name: "element", repetition_type: "REQUIRED", ...elements.text },
    ];
  });
  return [{ name: "root", num_children: columns.length }, ...leaves];
}

function physical(type: ColumnType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (type === "integer") return BigInt(value as number);
  if (type === "time") return new Date(value as string);
  return value;
}

/** JSON of what the footer will say, which holds big integers, times, bytes and numbers that JSON has not. */
function tagged(value: unknown): string {
  return JSON.stringify(value, function replaceIn(this: Record<string, unknown>, name, json: unknown) {
    // A Date has made itself JSON before it is seen here.
    const own = this[name];
    if (typeof own === "bigint") return { $n: String(own) };
    // -0 is the least of zeros in the minima of a column, and JSON has no word for it.
    if (typeof own === "number" && (Object.is(own, -0) || !Number.isFinite(own))) {
      return { $f: Object.is(own, -0) ? "-0" : String(own) };
    }
    if (own instanceof Date) return { $t: own.getTime() };
    if (own instanceof Uint8Array) return { $b: Buffer.from(own).toString("base64") };
    return json;
  });
}

function untagged(text: string): unknown {
  return JSON.parse(text, (_name, value: unknown) => {
    if (typeof value !== "object" || value === null) return value;
    if ("$n" in value) return BigInt(String(value.$n));
    if ("$f" in value) return Number(value.$f);
    if ("$t" in value) return new Date(Number(value.$t));
    if ("$b" in value) return new Uint8Array(Buffer.from(String(value.$b), "base64"));
    return value;
  });
}
