import { describe, expect, test } from "vitest";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { learnerKey } from "../projections/rows.ts";
import { type Rendered, rendered } from "./rendered.ts";
import { absentKeptMs, createRowCache, type RowCache, rowKeptMs } from "./row-cache.ts";
import type { KeptField } from "./row-memory.ts";

/** Rows in memory whose reads are counted, and wait until they are let go. */
function setUp(rowBytesMax?: number) {
  const readModels = createMemoryReadModels();
  let now = 1_000;
  let reads = 0;
  let gate: Promise<void> = Promise.resolve();
  const counted: ReadModels = {
    ...readModels,
    async get(key, field) {
      reads += 1;
      const bytes = await readModels.get(key, field);
      await gate;
      return bytes;
    },
    async getMany(keys, field) {
      reads += 1;
      const all = await readModels.getMany(keys, field);
      await gate;
      return all;
    },
  };
  const lookUps: string[] = [];
  const cache = createRowCache({
    ...{ readModels: counted, clock: { now: () => now } },
    ...(rowBytesMax === undefined ? {} : { rowBytesMax }),
    onLookUp: (kind, found, ageMs) => void lookUps.push(`${kind} ${found} ${ageMs}`),
  });
  return {
    ...{ cache, lookUps },
    write: (key: string, version: number, value: string) =>
      readModels.write([
        { key: learnerKey("n", key), from: "older", to: version, set: new Map([["next", Buffer.from(value)]]) },
      ]),
    get: async (key = "k") => textOf(await cache.get("n", key, "next")),
    getMany: async (...keys: string[]) => (await cache.getMany("n", keys, "next")).map(textOf),
    reads: () => reads,
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

const textOf = ({ bytes }: KeptField): string | null => bytes?.toString() ?? null;
const said = (text: string): Rendered => rendered({ revision: 1, at: 0, holdsUntil: null }, text, "");

describe("rows in memory", () => {
  test("a row is read once, and answered at once from then on", async () => {
    const { cache, write, get, reads } = setUp();
    await write("k", 1, "one");
    expect(await get()).toBe("one");
    expect(cache.get("n", "k", "next")).toMatchObject({ bytes: Buffer.from("one") });
    expect(reads()).toBe(1);
  });

  test("that there is no row is remembered too, until there is one", async () => {
    const { cache, write, get, reads } = setUp();
    expect(await get()).toBeNull();
    expect(cache.get("n", "k", "next")).toMatchObject({ bytes: null });
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

  test("a clock that is set back does not make a row hold longer", async () => {
    const { write, get, reads, pass } = setUp();
    await write("k", 1, "one");
    await get();
    pass(-3_600_000);
    expect(await get()).toBe("one");
    expect(reads()).toBe(2);
    await get();
    expect(reads()).toBe(2);
  });

  test("a row that is read again unchanged keeps what was made of it", async () => {
    const { cache, write, get, pass } = setUp();
    await write("k", 1, "one");
    const made = said("ONE");
    (await cache.get("n", "k", "next")).make("upper", 1, made);
    pass(rowKeptMs);
    const again = await cache.get("n", "k", "next");
    expect([again.made("upper", 1), again.made("upper", 2)]).toEqual([made, undefined]);
    await write("k", 2, "two");
    await get();
    expect(cache.last("k", "next")?.made("upper", 1)).toBeUndefined();
  });

  test("what no longer holds is still the last that is known", async () => {
    const { cache, write, get, pass } = setUp();
    expect(cache.last("k", "next")).toBeUndefined();
    await write("k", 1, "one");
    await get();
    pass(rowKeptMs);
    await write("k", 2, "two");
    expect(lastOf(cache)).toBe("one");
  });

  test("a row of another namespace is read, and the one before is known until then", async () => {
    const { cache, write, get } = setUp();
    await write("k", 1, "one");
    await get();
    expect(lastOf(cache)).toBe("one");
    expect((await cache.get("other", "k", "next")).bytes).toBeNull();
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
    const cache = createRowCache({ readModels, clock: { now: () => 0 } });
    fail(true);
    await expect(cache.get("n", "k", "next")).rejects.toThrow("no answer");
    fail(false);
    expect((await cache.get("n", "k", "next")).bytes).toBeNull();
  });

  test("of many, those in memory are not read, and the others in one round trip", async () => {
    const { write, get, getMany, reads, lookUps } = setUp();
    for (const key of ["a", "b", "c"]) await write(key, 1, key.toUpperCase());
    await get("b");
    expect(await getMany("a", "b", "none", "a", "c")).toEqual(["A", "B", null, "A", "C"]);
    expect(reads()).toBe(2);
    expect(lookUps.slice(1)).toEqual(["list miss 0", "list hit 0", "list miss 0", "list joined 0", "list miss 0"]);
    await getMany("a", "b", "none", "c");
    expect(reads()).toBe(2);
  });

  test("one of many that is written while they are read is not relied on; the others are", async () => {
    const { write, getMany, reads, hold } = setUp();
    for (const key of ["a", "b"]) await write(key, 1, "old");
    const open = hold();
    const early = getMany("a", "b");
    await Promise.resolve();
    await write("b", 2, "new");
    open();
    expect(await early).toEqual(["old", "old"]);
    expect(await getMany("a")).toEqual(["old"]);
    expect(reads()).toBe(1);
    expect(await getMany("b")).toEqual(["new"]);
  });

  test("what a read that began earlier brings does not replace what a later one did", async () => {
    const { cache, write, hold } = setUp();
    await write("k", 1, "one");
    const open = hold();
    const early = cache.read("n", "k", "next");
    await write("k", 2, "two");
    const late = cache.read("n", "k", "next");
    open();
    expect([textOf(await late), textOf(await early)]).toEqual(["two", "one"]);
    expect(lastOf(cache)).toBe("two");
  });

  test("each look-up is told, with how long ago the row was read", async () => {
    const { write, get, pass, lookUps } = setUp();
    await write("k", 1, "one");
    await Promise.all([get(), get()]);
    pass(700);
    await get();
    await get("nobody");
    pass(absentKeptMs - 1);
    await get("nobody");
    pass(1);
    await get("nobody");
    expect(lookUps).toEqual([
      ...["list miss 0", "list joined 0", "list hit 700", "list miss 0", `list absent ${absentKeptMs - 1}`],
      "list miss 0",
    ]);
  });
});

const lastOf = (cache: RowCache): string | undefined => cache.last("k", "next")?.bytes?.toString();

describe("room", () => {
  const value = "x".repeat(1_000);

  test("no more bytes are held than given, and what was used least makes room", async () => {
    const { cache, write, get, pass } = setUp(100_000);
    for (let n = 0; n < 200; n += 1) {
      await write(`k${n}`, 1, value);
      await get(`k${n}`);
      pass(1);
      // Used again and again, and so read again.
      if (n % 10 === 9) {
        await write("k0", n, value);
        await get("k0");
      }
    }
    const { learners, bytes } = cache.held();
    expect(bytes).toBeLessThanOrEqual(100_000);
    expect(learners).toBeGreaterThan(40);
    expect([cache.last("k0", "next"), cache.last("k1", "next")]).toEqual([expect.anything(), undefined]);
    expect(cache.hottest(2)).toEqual(["k0", "k199"]);
  });

  test("answers count: with them fewer rows are held", async () => {
    const { cache, write, pass } = setUp(100_000);
    for (let n = 0; n < 100; n += 1) {
      await write(`k${n}`, 1, "small");
      const field = await cache.get("n", `k${n}`, "next");
      field.make("a", 1, said(value.repeat(9)));
      pass(1);
    }
    const { learners, bytes } = cache.held();
    expect(bytes).toBeLessThanOrEqual(100_000);
    expect(learners).toBeLessThan(12);
  });

  test("ids that do not exist push no rows out, however many are asked for", async () => {
    const { cache, write, get } = setUp(100_000);
    await write("k", 1, "one");
    await get();
    for (let n = 0; n < 1_000; n += 1) await get(`nobody${n}`);
    expect(lastOf(cache)).toBe("one");
    const { unknown, bytes } = cache.held();
    expect(unknown).toBeLessThan(100);
    expect(bytes).toBeLessThanOrEqual(100_000);
  });

  test("an unknown learner is known from the first event on", async () => {
    const { cache, write, get } = setUp();
    expect(await get()).toBeNull();
    expect(cache.held()).toMatchObject({ learners: 0, unknown: 1 });
    await write("k", 1, "one");
    expect(await get()).toBe("one");
    expect(cache.held()).toMatchObject({ learners: 1, unknown: 0 });
    expect(cache.hottest(10)).toEqual(["k"]);
  });

  test("with no room everything is read, and callers still share a read", async () => {
    const { cache, write, get, reads } = setUp(0);
    await write("k", 1, "one");
    expect(await Promise.all([get(), get()])).toEqual(["one", "one"]);
    expect(reads()).toBe(1);
    await get();
    expect(reads()).toBe(2);
    expect(cache.held()).toEqual({ learners: 0, unknown: 0, bytes: 0 });
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
