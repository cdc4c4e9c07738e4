import { afterAll, expect, test } from "vitest";
import { createPglite } from "../../../../test/support/pglite.ts";
import { bigintArray, integerArray, textArray, timeArray, uuidArray } from "./binary-arrays.ts";

const sql = await createPglite();
afterAll(() => sql.close());

async function readBack(value: Buffer, type: string): Promise<unknown> {
  const [row] = await sql.query(`SELECT to_json($1::${type}[])`, [value]);
  return JSON.parse(row?.[0] ?? "null");
}

test("PostgreSQL reads what was written", async () => {
  const texts = ["", "a", 'quote " backslash \\ comma , brace } NULL', "grüße, 世界, 🙂", "x".repeat(100_000)];
  expect(await readBack(textArray(texts), "text")).toEqual(texts);
  const documents = ['{"a":[1,"\\u0000"]}', '"🙂"', "null"];
  expect(await readBack(textArray(documents, "json"), "json")).toEqual(documents.map((text) => JSON.parse(text)));
  const ids = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", crypto.randomUUID()];
  expect(await readBack(uuidArray(ids), "uuid")).toEqual(ids);
  const small = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)];
  expect(await readBack(integerArray(small), "integer")).toEqual(small);
  const large = [...small, 2 ** 32, -(2 ** 32) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
  expect(await readBack(bigintArray(large), "bigint")).toEqual(large);
  const times = [
    "1970-01-01T00:00:00.001Z",
    "1999-12-31T23:59:59.999Z",
    "2000-01-01T00:00:00Z",
    "2026-11-23T01:02:03.456Z",
  ];
  const [row] = await sql.query(
    "SELECT array_to_json(array(SELECT date_part('epoch', t) FROM unnest($1::timestamptz[]) t))",
    [timeArray(times.map((time) => Date.parse(time)))],
  );
  const seconds: number[] = JSON.parse(row?.[0] ?? "null");
  expect(seconds.map((s) => Math.round(s * 1000))).toEqual(times.map((time) => Date.parse(time)));
  expect(await readBack(textArray([]), "text")).toEqual([]);
});
