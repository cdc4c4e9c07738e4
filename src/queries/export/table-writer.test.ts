import fc from "fast-check";
import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { ReplayFile } from "../replays/replay-kind.ts";
import { rowGroupRows } from "./parquet-writer.ts";
import { type Row, tableOf } from "./table.ts";
import { createTableWriter, type Format } from "./table-writer.ts";

const table = tableOf(
  "things",
  "Things",
  z.object({
    name: z.string().describe("Its name"),
    sort: z.enum(["a", "b"]).nullable().describe("Its sort"),
    at: z.iso.datetime().describe("When"),
    later: z.iso.datetime().nullable().describe("When else"),
    whole: z.number().int().describe("A whole number"),
    part: z.number().nullable().describe("A number"),
    yes: z.boolean().nullable().describe("Whether"),
    tags: z.array(z.string()).describe("Its tags"),
    more: z.unknown().nullable().describe("Anything"),
  }),
);

/** A file in memory, cut where a checkpoint cuts it. */
function memoryFile(before: Buffer = Buffer.alloc(0)) {
  const pieces = [before];
  const file: ReplayFile = {
    get bytes() {
      return pieces.reduce((sum, piece) => sum + piece.length, 0);
    },
    write: async (chunk) => void pieces.push(Buffer.from(chunk as Uint8Array)),
    close: async () => undefined,
  };
  return { file, content: () => Buffer.concat(pieces) };
}

async function written(format: Format, rows: readonly Row[]): Promise<Buffer> {
  const { file, content } = memoryFile();
  const writer = createTableWriter(format, table.columns, file, null);
  for (let at = 0; at < rows.length; ) {
    const some = rows.slice(at, at + Math.min(writer.room(), 7_000));
    await writer.write(some);
    at += some.length;
  }
  await writer.end();
  return content();
}

const parquetRows = async (bytes: Buffer): Promise<Row[]> =>
  (await parquetReadObjects({ file: new Uint8Array(bytes).buffer })) as Row[];

const row: Row = {
  ...{ name: 'He said "hi", twice\nand left', sort: null, at: "2026-03-01T08:00:00.123Z", later: null, whole: 2 ** 50 },
  ...{ part: 0.1, yes: false, tags: ["x", "y z"], more: { a: [1, null, "é"] } },
};
const other: Row = {
  ...{ name: "", sort: "b", at: "1969-12-31T23:59:59.999Z", later: "2026-03-01T08:00:00.000Z", whole: -3, part: null },
  ...{ yes: null, tags: [], more: null },
};

describe("what a table is", () => {
  test("follows from its schema", () => {
    expect(table.columns.map(({ name, type, nullable }) => [name, type, nullable])).toEqual([
      ...[
        ["name", "text", false],
        ["sort", "text", true],
        ["at", "time", false],
        ["later", "time", true],
      ],
      ...[
        ["whole", "integer", false],
        ["part", "number", true],
        ["yes", "boolean", true],
        ["tags", "list", false],
      ],
      ["more", "json", true],
    ]);
    expect(table.columns[1]?.values).toEqual(["a", "b"]);
    expect(() => tableOf("t", "T", z.object({ bare: z.string() }))).toThrow("the column bare has no description");
  });
});

describe("formats", () => {
  test("NDJSON: one object a line, without what is null", async () => {
    const lines = (await written("ndjson", [row, other])).toString().trimEnd().split("\n");
    const { sort: _, later: __, ...shown } = row;
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      shown,
      { name: "", sort: "b", at: other.at, later: other.later, whole: -3, tags: [] },
    ]);
  });

  test("CSV: quoted where needed, nothing for null, JSON for lists", async () => {
    expect((await written("csv", [row, other])).toString()).toBe(
      [
        "name,sort,at,later,whole,part,yes,tags,more",
        `"He said ""hi"", twice\nand left",,2026-03-01T08:00:00.123Z,,1125899906842624,0.1,false,"[""x"",""y z""]","{""a"":[1,null,""é""]}"`,
        `"",b,1969-12-31T23:59:59.999Z,2026-03-01T08:00:00.000Z,-3,,,[],`,
        "",
      ].join("\n"),
    );
  });

  test("an export of nothing is a file that can be read", async () => {
    expect((await written("ndjson", [])).toString()).toBe("");
    expect((await written("csv", [])).toString()).toBe("name,sort,at,later,whole,part,yes,tags,more\n");
    expect(await parquetRows(await written("parquet", []))).toEqual([]);
  });

  test("Parquet: types that readers know, and dictionaries", async () => {
    const rows = Array.from({ length: 500 }, (_, n) => ({ ...row, whole: n, sort: n % 2 > 0 ? "a" : "b" }));
    const bytes = await written("parquet", rows);
    const { schema, row_groups: groups } = await parquetMetadataAsync(new Uint8Array(bytes).buffer);
    const told = schema.map(({ name, type, converted_type, logical_type, repetition_type }) => [
      ...[name, type, converted_type, logical_type?.type, repetition_type],
    ]);
    expect(told).toEqual([
      ["root", undefined, undefined, undefined, undefined],
      ["name", "BYTE_ARRAY", "UTF8", "STRING", "REQUIRED"],
      ["sort", "BYTE_ARRAY", "UTF8", "STRING", "OPTIONAL"],
      ["at", "INT64", "TIMESTAMP_MILLIS", "TIMESTAMP", "REQUIRED"],
      ["later", "INT64", "TIMESTAMP_MILLIS", "TIMESTAMP", "OPTIONAL"],
      ["whole", "INT64", undefined, undefined, "REQUIRED"],
      ["part", "DOUBLE", undefined, undefined, "OPTIONAL"],
      ["yes", "BOOLEAN", undefined, undefined, "OPTIONAL"],
      ["tags", undefined, "LIST", "LIST", "REQUIRED"],
      ["list", undefined, undefined, undefined, "REPEATED"],
      ["element", "BYTE_ARRAY", "UTF8", "STRING", "REQUIRED"],
      ["more", "BYTE_ARRAY", "JSON", "JSON", "OPTIONAL"],
    ]);
    const encodings = new Map(
      groups[0]?.columns.map(({ meta_data: of }) => [of?.path_in_schema.join("."), of?.encodings]) ?? [],
    );
    for (const column of ["name", "sort", "at", "tags.list.element"]) {
      expect(encodings.get(column), column).toContain("RLE_DICTIONARY");
    }
  });

  test("Parquet gives back what was written", async () => {
    const id = fc.string({ minLength: 1, maxLength: 12 });
    const time = fc
      .date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true })
      .map((date) => date.toISOString());
    const anyRow = fc.record({
      ...{ name: fc.string({ unit: "grapheme", maxLength: 30 }), sort: fc.constantFrom("a", "b", null), at: time },
      ...{ later: fc.option(time), whole: fc.maxSafeInteger(), part: fc.option(fc.double({ noNaN: true })) },
      ...{ yes: fc.option(fc.boolean()), tags: fc.array(id, { maxLength: 4 }) },
      more: fc.option(fc.record({ a: fc.array(fc.oneof(fc.integer(), fc.string())), b: fc.boolean() })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { maxLength: 60 }), async (rows) => {
        const read = await parquetRows(await written("parquet", rows));
        expect(read.map(({ at, later, whole, ...rest }) => ({ ...rest, at, later, whole }))).toEqual(
          rows.map(({ at, later, whole, ...rest }) => ({
            ...{ ...rest, at: new Date(at), later: later === null ? null : new Date(later), whole: BigInt(whole) },
          })),
        );
      }),
      { numRuns: 40 },
    );
  });
});

describe("a file cut at a checkpoint and gone on with", () => {
  // Zeros of a column of numbers have a minimum of -0, which JSON does not know.
  const many = (n: number): Row[] =>
    Array.from({ length: n }, (_, at) => ({
      ...{ ...(at % 3 > 0 ? row : other), whole: at, name: `name ${at % 100}`, part: at % 2 },
    }));

  test.each(["ndjson", "csv", "parquet"] as const)("is the same to the byte: %s", async (format) => {
    const rows = many(2 * rowGroupRows + 10);
    const first = memoryFile();
    const writer = createTableWriter(format, table.columns, first.file, null);
    expect(writer.state()).not.toBeNull();
    await writer.write(rows.slice(0, rowGroupRows));
    const state = JSON.stringify(writer.state());
    const cut = first.content();
    // What came after the checkpoint is lost.
    await writer.write(rows.slice(rowGroupRows, rowGroupRows + 100));
    expect(writer.state() === null).toBe(format === "parquet");

    const second = memoryFile(cut);
    const next = createTableWriter(format, table.columns, second.file, JSON.parse(state));
    for (let at = rowGroupRows; at < rows.length; ) {
      const some = rows.slice(at, at + Math.min(10_000, next.room()));
      await next.write(some);
      at += some.length;
    }
    await next.end();
    expect(second.content().equals(await written(format, rows))).toBe(true);
    if (format === "parquet") {
      const { num_rows, row_groups } = await parquetMetadataAsync(new Uint8Array(second.content()).buffer);
      expect([num_rows, row_groups.length]).toEqual([BigInt(rows.length), 3]);
    }
  });

  test("before its first row it has its header all the same", async () => {
    const { file } = memoryFile();
    const state = createTableWriter("csv", table.columns, file, null).state();
    const resumed = memoryFile();
    await createTableWriter("csv", table.columns, resumed.file, JSON.parse(JSON.stringify(state))).end();
    expect(resumed.content().toString()).toMatch(/^name,/);
  });
});
