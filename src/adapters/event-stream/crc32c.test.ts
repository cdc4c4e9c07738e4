import { describe, expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";

describe("CRC-32C", () => {
  const counting = Uint8Array.from({ length: 32 }, (_, at) => at);

  test.each([
    ["nothing", Buffer.alloc(0), 0],
    ["32 zeroes", Buffer.alloc(32), 0x8a9136aa],
    ["32 ones", Buffer.alloc(32, 0xff), 0x62a8ab43],
    ["0 to 31", counting, 0x46dd794e],
    ["31 to 0", counting.toReversed(), 0x113fdb5c],
    ["digits, the last by itself", Buffer.from("123456789"), 0xe3069283],
  ])("of %s, as RFC 3720 and the catalogue of sums have it", (_, bytes, sum) => {
    expect(crc32c(bytes)).toBe(sum);
  });
});
