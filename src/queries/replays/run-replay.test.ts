import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryReplays, numbersText } from "../../../test/support/replays.ts";
import type { Replay, ReplayStore } from "../../ports/replay-store.ts";
import type { ReplayKind } from "./replay-kind.ts";
import { runReplay } from "./run-replay.ts";

const staying = new AbortController().signal;

function setUp() {
  let now = Date.UTC(2026, 4, 1);
  const clock = { now: () => now };
  const own = memoryReplays({ clock });
  async function asked(input: object, kind = "numbers"): Promise<string> {
    const id = randomUUID();
    const replay = { id, kind, input, idempotencyKey: null, requestedBy: null, createdAt: now };
    await own.store.add(replay, 100);
    return id;
  }
  async function text(id: string): Promise<string> {
    const [file] = (await own.store.get(id))?.files ?? [];
    const pieces: Buffer[] = [];
    if (file !== undefined) for await (const piece of own.replays.content(id, file)) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }
  const get = async (id: string): Promise<Replay> => {
    const replay = await own.store.get(id);
    if (replay === null) throw new Error("it is gone");
    return replay;
  };
  return {
    ...own,
    asked,
    text,
    get,
    pass: (ms: number): void => {
      now += ms;
    },
  };
}

/** Gives the store, of which the k-th call of these methods fails, before or after it was done. */
function failing(store: ReplayStore, k: number, when: "before" | "after"): ReplayStore {
  let calls = 0;
  const fails =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      calls += 1;
      if (calls !== k) return call(...args);
      if (when === "after") await call(...args);
      throw new Error(`call ${k} got no answer`);
    };
  const { claim, addFile, append, checkpoint, finish } = store;
  return {
    ...store,
    ...{ claim: fails(claim), addFile: fails(addFile), append: fails(append) },
    ...{ checkpoint: fails(checkpoint), finish: fails(finish) },
  };
}

describe("a turn of a replay", () => {
  test("writes what the kind writes, and says how it ended", async () => {
    const { asked, work, text, get } = setUp();
    const id = await asked({ count: 25 });
    expect(await work(id)).toBe("done");
    expect(await text(id)).toBe(numbersText(25));
    expect(await get(id)).toMatchObject({ state: "done", summary: { numbers: 25 }, progress: { done: 25, total: 25 } });
    expect(await work(id)).toBe("nothing");
  });

  test("a worker that has to go gives it up, and another goes on from the checkpoint", async () => {
    const { asked, worker, work, text, get } = setUp();
    const id = await asked({ count: 40, pauseMs: 1 });
    const leaving = new AbortController();
    const running = runReplay(worker, id, leaving.signal);
    await expect.poll(async () => (await get(id)).progress?.done ?? 0, { interval: 2 }).toBeGreaterThan(12);
    leaving.abort();
    expect(await running).toBe("given up");
    expect(await get(id)).toMatchObject({ state: "queued", attempts: 1 });
    expect(await work(id)).toBe("done");
    expect(await text(id)).toBe(numbersText(40));
    expect(await get(id)).toMatchObject({ attempts: 2 });
  });

  test("one that was cancelled ends its worker", async () => {
    const { asked, work, replays, get } = setUp();
    const id = await asked({ count: 100_000, pauseMs: 1 });
    const running = work(id);
    await expect.poll(async () => (await get(id)).progress?.done ?? 0, { interval: 2 }).toBeGreaterThan(0);
    expect(await replays.cancel(id)).toBe(true);
    expect(await running).toBe("lost");
    expect(await get(id)).toMatchObject({ state: "cancelled", files: [] });
  });

  test("trouble is tried again, later each time; three times without getting further is a failure", async () => {
    const { asked, work, get, pass, store } = setUp();
    const id = await asked({ count: 30, failAt: 15 });
    // Two turns get to the checkpoint at 10 once; then nothing gets further.
    for (let turn = 1; turn < 3; turn += 1) {
      expect(await work(id), `turn ${turn}`).toBe("given up");
      expect(await work(id), "not due yet").toBe("nothing");
      pass(40_000);
    }
    const outcomes = [];
    for (let turn = 0; turn < 3 && (await get(id)).state === "queued"; turn += 1) {
      outcomes.push(await work(id));
      pass(80_000);
    }
    expect(outcomes.at(-1)).toBe("failed");
    expect(await get(id)).toMatchObject({ state: "failed", error: "it fails at 15" });
    expect(await store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });

  test("what makes no sense is refused at once", async () => {
    const { asked, work, get } = setUp();
    const refused = await asked({ count: 1, refuse: "there is no such track" });
    expect(await work(refused)).toBe("failed");
    expect(await get(refused)).toMatchObject({ error: "there is no such track", attempts: 1 });
    const unknown = await asked({}, "of-tomorrow");
    expect(await work(unknown)).toBe("failed");
    expect((await get(unknown)).error).toBe("no kind of replay is called of-tomorrow");
    const old = await asked({ cuont: 1 });
    expect(await work(old)).toBe("failed");
    expect((await get(old)).error).toContain("its input is not what numbers takes now");
  });

  test("a worker that dies again and again without a word is a failure too", async () => {
    const { asked, work, get, pass, store } = setUp();
    const id = await asked({ count: 1 });
    for (let death = 0; death < 3; death += 1) {
      await store.claim(id, 0, 0);
      pass(60_000);
    }
    expect(await work(id)).toBe("failed");
    expect((await get(id)).error).toBe("its worker ended 3 times without getting further");
  });

  test("a worker that was taken for dead writes nothing when it comes to itself", async () => {
    const { asked, worker, work, text, pass, get } = setUp();
    const id = await asked({ count: 40, pauseMs: 1 });
    let wake = (): void => undefined;
    const asleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    // It hangs in its third checkpoint, and does not keep its claim.
    let checkpoints = 0;
    const hanging: ReplayStore = {
      ...worker.store,
      keep: () => Promise.resolve(),
      async checkpoint(claim, state) {
        checkpoints += 1;
        if (checkpoints === 3) await asleep;
        return worker.store.checkpoint(claim, state);
      },
    };
    const hung = runReplay({ ...worker, store: hanging }, id, staying);
    await expect.poll(() => checkpoints, { interval: 2 }).toBe(3);
    pass(31_000);
    expect(await work(id)).toBe("done");
    wake();
    expect(await hung).toBe("lost");
    expect(await text(id)).toBe(numbersText(40));
    expect((await get(id)).attempts).toBe(2);
  });

  test("whichever call to the store fails, before or after it was done, the file is the same in the end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ k: fc.integer({ min: 1, max: 12 }), when: fc.constantFrom("before", "after") }), {
          maxLength: 2,
        }),
        async (faults) => {
          const { asked, worker, work, text, get, pass } = setUp();
          const id = await asked({ count: 45 });
          for (const { k, when } of faults) {
            await runReplay({ ...worker, store: failing(worker.store, k, when) }, id, staying).catch(() => undefined);
            pass(120_000);
          }
          await work(id);
          expect(await get(id)).toMatchObject({ state: "done", summary: { numbers: 45 } });
          expect(await text(id)).toBe(numbersText(45));
        },
      ),
      { numRuns: 100 },
    );
  });

  test("files are written in chunks, and more than one may be open", async () => {
    const { asked, worker, get, replays } = setUp();
    const line = "x".repeat(1_000);
    const large: ReplayKind<unknown> = {
      ...{
        kind: "large",
        input: { safeParse: (data: unknown) => ({ success: true, data }) } as ReplayKind<unknown>["input"],
      },
      async run(_input, run) {
        const [a, b] = [
          await run.openFile("a.txt", "text/plain"),
          await run.openFile("b.bin", "application/octet-stream"),
        ];
        for (let n = 0; n < 2_000; n += 1) {
          await a.write(line);
          await b.write(Buffer.alloc(100, n));
        }
        expect([a.bytes, b.bytes]).toEqual([2_000_000, 200_000]);
        await expect(run.openFile("a.txt", "text/plain")).rejects.toThrow("open already");
        await expect(run.openFile("../a", "text/plain")).rejects.toThrow("no name of a file");
      },
    };
    const id = await asked({}, "large");
    const longest: number[] = [];
    const store: ReplayStore = {
      ...worker.store,
      append(claim, name, offset, bytes) {
        longest.push(bytes.length);
        return worker.store.append(claim, name, offset, bytes);
      },
    };
    expect(await runReplay({ ...worker, store, kinds: [large] }, id, staying)).toBe("done");
    expect(Math.max(...longest)).toBeLessThanOrEqual(256 * 1024);
    expect(longest.length).toBeLessThan(20);
    const { files } = await get(id);
    expect(files.map(({ name, bytes }) => [name, bytes])).toEqual([
      ["a.txt", 2_000_000],
      ["b.bin", 200_000],
    ]);
    let read = 0;
    for (const file of files) for await (const piece of replays.content(id, file)) read += piece.length;
    expect(read).toBe(2_200_000);
  });
});
