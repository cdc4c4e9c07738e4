import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { idSchema } from "./events.ts";
import { Ids } from "./learner-model/ids.ts";

function written(ids: Ids): Uint8Array {
  const writer = new ByteWriter(1);
  ids.write(writer);
  return writer.finish();
}
const read = (bytes: Uint8Array): Ids => Ids.read(new ByteReader(bytes, "ids"));

const id = fc.oneof(
  fc.tuple(fc.constantFrom("", "item-", "q", "é", "9"), fc.nat(2000)).map(([prefix, n]) => `${prefix}${n}`),
  fc.tuple(fc.constantFrom("i", "x_", "0"), fc.nat(99)).map(([prefix, n]) => `${prefix}${String(n).padStart(3, "0")}`),
  fc.constantFrom("0", "00", "007", "1234567890123", "0000000000001", "add", "a-", "9".repeat(200)),
  fc.uuid(),
  fc.string({ minLength: 1, maxLength: 40 }).filter((text) => idSchema.safeParse(text).success),
);

describe("ids are stored by what they have in common", () => {
  test("and read back as they were, with more added at any time", () => {
    fc.assert(
      fc.property(fc.uniqueArray(id, { maxLength: 80 }), fc.nat(80), (all, cut) => {
        const whole = new Ids([...all]);
        expect(read(written(whole)).list).toEqual(all);
        const some = read(written(new Ids(all.slice(0, cut))));
        for (const one of all) some.add(one);
        expect(some.list).toEqual(all);
        // However often it was stored on the way, the bytes are the same.
        expect(written(some)).toEqual(written(whole));
      }),
    );
  });

  test("in three bytes each where they are numbered", () => {
    const ids = new Ids(Array.from({ length: 500 }, (_, n) => `exercise-${n * 3}`));
    expect(written(ids).length).toBeLessThan(1550);
  });
});
