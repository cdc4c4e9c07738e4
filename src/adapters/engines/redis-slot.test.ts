import { describe, expect, test } from "vitest";
import { slotOf } from "./redis-slot.ts";

describe("the slot of a key", () => {
  test.each([
    ["123456789", 0x31c3],
    ["foo", 12182],
    ["{foo}.bar", 12182],
    ["a{foo}{bar}", 12182],
    ["", 0],
  ])("%j", (key, slot) => expect(slotOf(key)).toBe(slot % 16_384));

  test("empty braces are no tag", () => {
    expect(slotOf("{}foo")).not.toBe(slotOf("foo"));
    expect(slotOf("foo{")).not.toBe(slotOf("foo"));
  });
});
