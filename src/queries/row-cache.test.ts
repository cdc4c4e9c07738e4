import { describe, expect, test } from "vitest";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { learnerKey } from "../projections/rows.ts";
import { createRowCache, rowKeptMs } from "./row-cache.ts";

/** Rows in memory whose reads are counted, and wait until they are let go. */
function setUp() {
  const readModels = createMemoryReadModels();
  let now = 1_000;
  let reads = 0;
  let decoded = 0;
  let gate: Promise<void> = Promise.resolve();
  const counted: ReadModels = {
    ...readModels,
    async get(key, field) {
      reads += 1;
      const bytes = await readModels.get(key, field);
      await gate;
      return bytes;
    },
  };
  const cache = createRowCache<string, string>({
    ...{ readModels: counted, clock: { now: () => now } },
    fields: ["f"],
    decode: (bytes) => {
      decoded += 1;
      return bytes.toString();
    },
  });
  return {
    cache,
    write: (key: string, version: number, value: string) =>
      readModels.write([
        { key: learnerKey("n", key), from: "older", to: version, set: new Map([["f", Buffer.from(value)]]) },
      ]),
    get: async (key = "k") => (await cache.get("n", key, "f")).value,
    reads: () => reads,
    decoded: () => decoded,
    pass: (ms: number) => {
      now += ms;
    },
    hold() {
      let open = (): void => {};
      gate = new Promise((resolve) => {
        open = resolve;
      });
      return open;
    },
  };
}

describe("rows in memory", () => {
  test("a row is read once, and answered at once from then on", async () => {
    const { cache, write, get, reads } = setUp();
    await write("k", 1, "one");
    expect(await get()).toBe("one");
    expect(cache.get("n", "k", "f")).toMatchObject({ value: "one" });
    expect(reads()).toBe(1);
  });

  test("that there is no row is remembered too, until there is one", async () => {
    const { cache, write, get, reads } = setUp();
    expect(await get()).toBeNull();
    expect(cache.get("n", "k", "f")).toMatchObject({ value: null });
    expect(reads()).toBe(1);
    await write("k", 1, "one");
    expect(await get()).toBe("one");
  });

  test("a row that is written is read again", async () => {
    const { write, get } = setUp();
    await write("k", 1, "one");
    await get();
    await write("k", 2, "two");
    expect(await get()).toBe("two");
  });

  test("a row is read again after a while, should the word of a write be lost", async () => {
    const { write, get, reads, pass } = setUp();
    await write("k", 1, "one");
    await get();
    pass(rowKeptMs - 1);
    await get();
    expect(reads()).toBe(1);
    pass(1);
    expect(await get()).toBe("one");
    expect(reads()).toBe(2);
  });

  test("a row that is read again unchanged is not decoded again, and keeps what was made of it", async () => {
    const { cache, write, get, decoded, pass } = setUp();
    await write("k", 1, "one");
    (await cache.get("n", "k", "f")).make("upper", 1, "ONE");
    pass(rowKeptMs);
    const again = await cache.get("n", "k", "f");
    expect([decoded(), again.made("upper", 1), again.made("upper", 2)]).toEqual([1, "ONE", undefined]);
    await write("k", 2, "two");
    await get();
    expect([decoded(), cache.last("k", "f")?.made("upper", 1)]).toEqual([2, undefined]);
  });

  test("what no longer holds is still the last that is known", async () => {
    const { cache, write, get, pass } = setUp();
    expect(cache.last("k", "f")).toBeUndefined();
    await write("k", 1, "one");
    await get();
    pass(rowKeptMs);
    await write("k", 2, "two");
    expect(cache.last("k", "f")?.value).toBe("one");
  });

  test("a row of another namespace is read, and the one before is known until then", async () => {
    const { cache, write, get } = setUp();
    await write("k", 1, "one");
    await get();
    expect(cache.last("k", "f")?.value).toBe("one");
    expect((await cache.get("other", "k", "f")).value).toBeNull();
    expect(await get()).toBe("one");
  });

  test("callers at the same time share one read", async () => {
    const { write, get, reads, hold } = setUp();
    await write("k", 1, "one");
    const open = hold();
    const all = [get(), get(), get()];
    open();
    expect(await Promise.all(all)).toEqual(["one", "one", "one"]);
    expect(reads()).toBe(1);
  });

  test("a row written while it is being read is answered, and not kept", async () => {
    const { write, get, hold } = setUp();
    await write("k", 1, "one");
    const open = hold();
    const early = get();
    await write("k", 2, "two");
    open();
    expect(await early).toBe("one");
    expect(await get()).toBe("two");
  });

  test("a read that fails is not kept", async () => {
    const { readModels, fail } = failing();
    const cache = createRowCache({
      readModels,
      clock: { now: () => 0 },
      fields: ["f"],
      decode: String,
    });
    fail(true);
    await expect(cache.get("n", "k", "f")).rejects.toThrow("no answer");
    fail(false);
    expect((await cache.get("n", "k", "f")).value).toBeNull();
  });
});

function failing() {
  const memory = createMemoryReadModels();
  let down = false;
  const get: ReadModels["get"] = (key, field) =>
    down ? Promise.reject(new Error("no answer")) : memory.get(key, field);
  const fail = (now: boolean): void => {
    down = now;
  };
  return { readModels: { ...memory, get }, fail };
}
