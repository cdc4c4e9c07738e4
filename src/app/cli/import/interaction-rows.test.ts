import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import type { Io } from "../io.ts";
import { interactionRows, type SourceRow } from "./interaction-rows.ts";
import { openSourceFile } from "./source-file.ts";

const folder = mkdtempSync(join(tmpdir(), "proximal-rows-"));
afterAll(() => rmSync(folder, { recursive: true }));

const io = { stdin: Readable.from([]), signal: new AbortController().signal } as unknown as Io;
const options = { map: new Map<string, string>(), skillSeparator: ";", idPrefix: "", lineLimitBytes: 200 };

async function allOf<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

async function rowsOf(name: string, content: string): Promise<{ rows: SourceRow[]; lines: number }> {
  const path = join(folder, name);
  writeFileSync(path, content);
  const file = await openSourceFile(io, path, undefined);
  return { rows: await allOf(interactionRows(file, options, () => {})), lines: file.lines };
}

describe("rows of a file", () => {
  it("CSV: byte order mark, CRLF, empty lines, quotes and a last line without an end", async () => {
    const { rows, lines } = await rowsOf("a.csv", '\uFEFFuser_id,item_id,correct\r\n8,"7",1\r\n\r\n9,"a ""b""",0');
    expect(lines).toBe(4);
    expect(rows.map((r) => [r.row, r.line, r.reading.ok && r.reading.interaction.input.itemId])).toEqual([
      [1, 2, "7"],
      [2, 4, 'a "b"'],
    ]);
  });

  it("CSV: one bad row is refused with its line, its neighbours are not", async () => {
    const { rows } = await rowsOf("b.csv", "user_id,item_id,correct\n8,7,1\n8,7\n8,7,2\n9,7,0\n");
    expect(rows.map((r) => (r.reading.ok ? "ok" : `${r.line}: ${r.reading.problem}`))).toEqual([
      "ok",
      "3: 2 columns where the header has 3",
      '4: correct: 0 or 1, not "2"',
      "ok",
    ]);
  });

  it("CSV: a quote that is never closed is an error, not a lost file", async () => {
    const content = `user_id,item_id,correct\n8,7,1\n9,"7,1\n${"1,1,1\n".repeat(100)}`;
    await expect(rowsOf("c.csv", content)).rejects.toThrow(/c\.csv: not readable as CSV: .*record.*size/i);
  });

  it("CSV: an empty file says so", async () => {
    await expect(rowsOf("d.csv", "")).rejects.toThrow("is empty: a CSV file starts with a line of column names");
  });

  it("NDJSON: bad lines are refused, also one that is too long", async () => {
    const good = '{"learnerId":"a","itemId":"i","kind":"view"}';
    const { rows } = await rowsOf("e.ndjson", `${good}\n{"learnerId":\n\n"${"x".repeat(300_000)}"\n${good}`);
    expect(rows.map((r) => [r.row, r.line, r.reading.ok ? "ok" : r.reading.problem.slice(0, 8)])).toEqual([
      [1, 1, "ok"],
      [2, 2, "not JSON"],
      [3, 4, "longer t"],
      [4, 5, "ok"],
    ]);
  });

  it("finds the format of a file without an extension, and reads standard input twice", async () => {
    const ndjson = await rowsOf("plain", '{"learnerId":"a","itemId":"i","kind":"view"}\n');
    expect(ndjson.rows[0]?.reading.ok).toBe(true);
    const stdin = Readable.from([Buffer.from("user_id,item_id,correct\n1,2,1\n")]);
    const file = await openSourceFile({ ...io, stdin }, "-", undefined);
    expect(file).toMatchObject({ name: "standard input", format: "csv", lines: 2 });
    expect(await allOf(interactionRows(file, options, () => {}))).toHaveLength(1);
    await file.close();
    await expect(openSourceFile(io, join(folder, "none.csv"), undefined)).rejects.toThrow("there is no such file");
    await expect(openSourceFile(io, folder, undefined)).rejects.toThrow("is not a file");
  });
});
