import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";

type Value = number | string;
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.nat(300),
  fc.maxSafeNat(),
  fc.integer({ min: -(2 ** 31), max: -1 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ maxLength: 200 }),
);
const isSigned = (one: Value): boolean => typeof one === "number" && one < 0;

function write(values: readonly Value[], format = 7): Uint8Array {
  const writer = new ByteWriter(format);
  for (const one of values) {
    if (typeof one === "string") writer.text(one);
    else if (isSigned(one)) writer.int(one);
    else writer.uint(one);
  }
  return writer.finish();
}

function read(bytes: Uint8Array, like: readonly Value[]): Value[] {
  const reader = new ByteReader(bytes, "a value");
  const values = like.map((one) => {
    if (typeof one === "string") return reader.text();
    return isSigned(one) ? reader.int() : reader.uint();
  });
  reader.end();
  return values;
}

describe("bytes", () => {
  test("are read back as they were written, wherever they lie", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), fc.nat(9), (values, before) => {
        const bytes = write(values);
        const inside = new Uint8Array(bytes.length + before);
        inside.set(bytes, before);
        expect(read(inside.subarray(before), values)).toEqual(values);
      }),
      { numRuns: 500 },
    );
  });

  test("hold columns of numbers, between whole values and beside each other", () => {
    const number = fc.oneof(fc.nat(3), fc.nat(300), fc.integer(), fc.integer({ min: -(2 ** 52), max: 2 ** 52 }));
    const column = fc.oneof(fc.array(fc.nat(5)), fc.array(fc.nat(2 ** 31)), fc.array(number, { maxLength: 60 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(column, fc.option(fc.maxSafeNat()))), (parts) => {
        const writer = new ByteWriter(1);
        for (const [values, after] of parts) {
          writer.column(values, values.length);
          if (after !== null) writer.uint(after);
        }
        const reader = new ByteReader(writer.finish(), "columns");
        const used: number[] = [];
        for (const [at, [values, after]] of parts.entries()) {
          const read = at % 2 === 0 ? reader.column(values.length) : reader.column(values.length, used);
          expect(read.slice(0, values.length)).toEqual(values);
          if (after !== null) expect(reader.uint()).toBe(after);
        }
        reader.end();
      }),
    );
  });

  test("take few bits for small numbers, and none for zeros", () => {
    const length = (values: readonly number[]): number => {
      const writer = new ByteWriter(1);
      writer.column(values, values.length);
      return writer.finish().length - 5;
    };
    const many = (value: (n: number) => number) => Array.from({ length: 800 }, (_, n) => value(n));
    expect(length(many(() => 0))).toBe(1);
    expect(length(many((n) => n % 8))).toBe(1 + 300);
    // One that is far larger does not make the others longer.
    expect(length(many((n) => (n === 400 ? 2 ** 40 : n % 2)))).toBeLessThan(1 + 160 + 10);
    for (const no of [2 ** 52 + 2, Number.POSITIVE_INFINITY, Number.NaN, 0.5])
      expect(() => length([no])).toThrow("does not fit into a column");
  });

  test("of equal values are equal, and say their format", () => {
    const values = ["a", 1, -5, "\u00e9"];
    expect(write(values)).toEqual(write(values));
    expect(new ByteReader(write(values, 255), "x").format).toBe(255);
  });

  test("hold the ends of what fits, and nothing else", () => {
    for (const number of [0, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1]) {
      expect(read(write([number]), [number])).toEqual([number]);
    }
    for (const number of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => write([number])).toThrow("is not a whole number from 0");
    }
    const writer = new ByteWriter(1);
    expect(() => writer.uint(-1)).toThrow("is not a whole number from 0");
  });

  test("of several writers do not mix, however long the values are", () => {
    const long = "x".repeat(100_000);
    const first = write([long, 1]);
    const second = write(["y".repeat(99_999), 2]);
    expect(read(first, [long, 1])).toEqual([long, 1]);
    expect(read(second, ["y", 2])[1]).toBe(2);
  });

  test("texts whose bytes read like another text are told apart", () => {
    // "é" is written as the two characters of "Ã©" would be, were they bytes.
    for (const text of ["\u00c3\u00a9", "\u00e9", "\u00c3\u00a9"]) expect(read(write([text]), [text])).toEqual([text]);
  });

  test("cut, changed or asked for more than they hold, they throw, and name what they are", () => {
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 8 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (values, place, bits) => {
          const good = write(values);
          const bad = good.slice();
          const at = place % bad.length;
          bad[at] = (bad[at] ?? 0) ^ bits;
          expect(() => read(bad, values)).toThrow("a value is damaged");
          expect(() => read(good.subarray(0, at), values)).toThrow("a value is");
          expect(() => read(good, [...values, 1])).toThrow("a value is cut short");
          if (values.length > 0)
            expect(() => read(write([...values, 1]), values)).toThrow("a value goes on after its end");
        },
      ),
    );
  });
});
