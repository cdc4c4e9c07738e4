import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createMemoryReadModels } from "../adapters/read-models/memory.ts";
import { learnerKey } from "../projections/rows.ts";
import { rendered } from "./rendered.ts";
import { createRowCache } from "./row-cache.ts";
import { KeptField } from "./row-memory.ts";
import { createRowRefresh } from "./row-refresh.ts";

function setUp(rowBytesMax = 1_000_000) {
  const readModels = createMemoryReadModels();
  let reads = 0;
  const lookUps: string[] = [];
  let refreshes = 0;
  const cache = createRowCache({
    readModels: {
      ...readModels,
      get(key, field) {
        reads += 1;
        return readModels.get(key, field);
      },
    },
    ...{ clock: { now: () => Date.now() }, rowBytesMax, refresh: true },
    onLookUp: (_kind, found) => void lookUps.push(found),
    onRefresh: () => {
      refreshes += 1;
    },
  });
  return {
    ...{ cache, lookUps },
    async write(version: number, learner = "k") {
      const bytes = Buffer.from(`${learner} ${version}`);
      const set = new Map([
        ["next", bytes],
        ["state", bytes],
      ]);
      await readModels.write([{ key: learnerKey("n", learner), from: "older", to: version, set }]);
      await turn();
    },
    ask: async (learner = "k", least = 0) => (await cache.get("n", learner, "next", least)).bytes?.toString(),
    askState: async () => (await cache.get("n", "k", "state")).bytes?.toString(),
    reads: () => reads,
    refreshes: () => refreshes,
  };
}

const turn = async (): Promise<void> => {
  for (let n = 0; n < 10; n += 1) await Promise.resolve();
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("rows that are read before they are asked for", () => {
  test("one that was asked for is read at the word of its write: the next question finds it in memory", async () => {
    const { write, ask, lookUps, reads } = setUp();
    await write(1);
    await ask();
    await write(2);
    expect(reads()).toBe(2);
    expect(await ask()).toBe("k 2");
    expect([lookUps, reads()]).toEqual([["miss", "hit"], 2]);
  });

  test("one that nobody asked for since is read when it is asked for: at most one read for each question", async () => {
    const { write, ask, reads, refreshes } = setUp();
    await write(1);
    await ask();
    vi.advanceTimersByTime(1);
    for (let version = 2; version < 20; version += 1) await write(version);
    expect([reads(), refreshes()]).toEqual([2, 1]);
    expect(await ask()).toBe("k 19");
    expect(reads()).toBe(3);
  });

  test("what else was in use is read with it, for five minutes, and only after a question", async () => {
    const { write, ask, askState, lookUps, reads } = setUp();
    await write(1);
    await ask();
    await askState();
    vi.advanceTimersByTime(299_000);
    await ask();
    await write(2);
    expect([await ask(), await askState()]).toEqual(["k 2", "k 2"]);
    expect(lookUps).toEqual(["miss", "miss", "miss", "hit", "hit"]);
    vi.advanceTimersByTime(1);
    await write(3);
    const before = reads();
    for (let version = 4; version < 9; version += 1) await write(version);
    expect(reads()).toBe(before);
    vi.advanceTimersByTime(300_000);
    await ask();
    await write(9);
    expect(reads()).toBe(before + 2);
  });

  test("one that somebody comes back for is read again before its time is over, for half a minute, and no longer", async () => {
    const { write, ask, lookUps, reads } = setUp();
    await write(1);
    await ask();
    await ask();
    await vi.advanceTimersByTimeAsync(20_000);
    const before = reads();
    expect(await ask()).toBe("k 1");
    expect([lookUps, reads()]).toEqual([["miss", "hit", "hit"], before]);
    await vi.advanceTimersByTimeAsync(60_000);
    const after = reads();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reads()).toBe(after);
    // From some 3.5 to 5 seconds after the last.
    expect(after).toBeLessThanOrEqual(1 + 2 * 13);
  });

  test("learners who were asked for once, and ids that do not exist, are not", async () => {
    const { write, ask, refreshes } = setUp();
    await write(1, "once");
    await ask("once");
    await ask("nobody");
    await ask("nobody");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(refreshes()).toBe(0);
  });

  test("what is older than is asked for is read, and told apart: it waits for a write", async () => {
    const { cache, write, ask, lookUps, reads } = setUp();
    await write(6);
    const field = await cache.get("n", "k", "next");
    field.make("all", 1, rendered({ revision: 6, at: 0, holdsUntil: null }, "a", "b"));
    await ask("k", 6);
    await ask("k", 7);
    expect([lookUps, reads()]).toEqual([["miss", "hit", "awaited"], 2]);
  });

  test("so does what is asked for while the row is read at the word of that write", async () => {
    const { cache, write, ask, lookUps } = setUp();
    await write(6);
    const field = await cache.get("n", "k", "next");
    field.make("all", 1, rendered({ revision: 6, at: 0, holdsUntil: null }, "a", "b"));
    const answered = new Promise((resolve) => cache.onWrite("k", () => resolve(ask("k", 7))));
    await write(7);
    expect([await answered, lookUps]).toEqual(["k 7", ["miss", "awaited"]]);
  });

  test("no more than a thousand are under way", () => {
    let begun = 0;
    const read = (): Promise<void> => {
      begun += 1;
      return new Promise(() => undefined);
    };
    const refresh = createRowRefresh({ read, all: () => [], now: () => 0 });
    const asked = new KeptField("n", "k", Buffer.from("1"), null);
    for (let n = 0; n < 1_200; n += 1) refresh.written([asked]);
    refresh.close();
    expect(begun).toBe(1_000);
  });
});
