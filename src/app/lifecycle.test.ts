import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Log } from "../ports/log.ts";
import { createLifecycle, Stopped, stopOnSignals } from "./lifecycle.ts";

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} };
const lifecycleOf = (stopTimeoutMs = 2000) => createLifecycle({ stopTimeoutMs, log: quiet });

describe("lifecycle", () => {
  it("undoes in reverse order, once, however often it is stopped", async () => {
    const seen: string[] = [];
    const life = lifecycleOf();
    for (const name of ["log", "projector", "http"]) {
      await life.acquire(
        name,
        () => name,
        (n) => void seen.push(n),
      );
    }
    const reports = await Promise.all([life.stop(), life.stop(), life.stop()]);
    await life.stop();
    expect(seen).toEqual(["http", "projector", "log"]);
    expect(reports.map((r) => r.failed)).toEqual([[], [], []]);
  });

  it("goes on when one undo throws, and names it", async () => {
    const seen: string[] = [];
    const life = lifecycleOf();
    await life.acquire(
      "log",
      () => 1,
      () => void seen.push("log"),
    );
    await life.acquire(
      "bad",
      () => 1,
      () => Promise.reject(new Error("no")),
    );
    expect((await life.stop()).failed).toEqual(["bad"]);
    expect(seen).toEqual(["log"]);
  });

  it("stops within its time when an undo hangs", async () => {
    const seen: string[] = [];
    const life = lifecycleOf(200);
    await life.acquire(
      "log",
      () => 1,
      () => void seen.push("log"),
    );
    await life.acquire(
      "hung",
      () => 1,
      () => new Promise<void>(() => {}),
    );
    const start = performance.now();
    expect((await life.stop()).failed).toEqual(["hung"]);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(seen).toEqual(["log"]);
  });

  it("undoes what was still being opened, and refuses what comes after", async () => {
    const life = lifecycleOf();
    let open = false;
    const opening = life.acquire(
      "slow",
      async () => {
        await sleep(30);
        open = true;
      },
      () => {
        open = false;
      },
    );
    const stopping = life.stop();
    await expect(opening).rejects.toThrow(Stopped);
    await stopping;
    expect(open).toBe(false);
    await expect(
      life.acquire(
        "late",
        () => 1,
        () => {},
      ),
    ).rejects.toThrow("late: already stopping");
  });

  it("a failed open leaves nothing to undo", async () => {
    const life = lifecycleOf();
    await expect(
      life.acquire(
        "bad",
        () => Promise.reject(new Error("port taken")),
        () => {
          throw new Error("undone");
        },
      ),
    ).rejects.toThrow("port taken");
    expect((await life.stop()).failed).toEqual([]);
  });

  it("holds nothing after 300 starts and stops at random moments", async () => {
    let held = 0;
    let random = 1;
    const next = (n: number) => {
      random = (random * 48271) % 2147483647;
      return random % n;
    };
    for (let round = 0; round < 300; round += 1) {
      const life = lifecycleOf();
      const starts = Array.from({ length: 4 }, (_, i) =>
        life
          .acquire(
            `part ${i}`,
            async () => {
              if (next(3) > 0) await sleep(next(3));
              if (next(7) === 0) throw new Error("cannot");
              held += 1;
            },
            async () => {
              if (next(3) > 0) await sleep(next(2));
              held -= 1;
            },
          )
          .catch(() => {}),
      );
      if (next(2) === 0) await sleep(next(4));
      const stops = [life.stop(), life.stop()];
      await Promise.all([...starts, ...stops]);
      expect(held).toBe(0);
    }
  });
});

describe("signals", () => {
  it("the first asks, the second insists, and a release leaves no listener", () => {
    const source = new EventEmitter();
    let insisted = 0;
    const { signal, release } = stopOnSignals(source, () => {
      insisted += 1;
    });
    expect(signal.aborted).toBe(false);
    source.emit("SIGTERM");
    expect(signal.aborted).toBe(true);
    source.emit("SIGINT");
    expect(insisted).toBe(1);
    release();
    expect(source.listenerCount("SIGINT") + source.listenerCount("SIGTERM")).toBe(0);
  });
});
