import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeRequest } from "./redis-request.ts";

/** As the protocol has it: https://redis.io/docs/latest/develop/reference/protocol-spec/. */
const plainly = (parts: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat([
    Buffer.from(`*${parts.length}\r\n`),
    ...parts.flatMap((part) => [
      Buffer.from(`$${Buffer.byteLength(part)}\r\n`),
      Buffer.from(part),
      Buffer.from("\r\n"),
    ]),
  ]);

const bytes = fc.uint8Array({ maxLength: 1_100 }).map((some) => Buffer.from(some));
const parts = fc.array(
  fc.oneof(fc.string({ unit: "grapheme", maxLength: 120 }), fc.string({ maxLength: 1_100 }), bytes),
);

test("requests of any texts and bytes are what the protocol says", () => {
  fc.assert(
    fc.property(parts, parts, (some, others) => {
      expect(encodeRequest(some, others).equals(plainly([...some, ...others]))).toBe(true);
    }),
  );
});
