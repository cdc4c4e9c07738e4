import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { privateRedis, privateRedisCluster, privateRedisSentinel } from "../../../test/support/engines.ts";
import { temporaryFolder } from "../../../test/support/folders.ts";
import { startRedis } from "../../../test/support/redis.ts";
import { ReadModelsUnavailable } from "../../ports/read-models.ts";
import { readModelsContract } from "./read-models.contract.ts";
import { openRedisReadModels, type RedisReadModels } from "./redis.ts";

const redis = await privateRedis();
const url = redis?.url ?? "";

const sentinel = await privateRedisSentinel();
const cluster = await privateRedisCluster();

describe.skipIf(sentinel === null)("redis with sentinels", () => {
  readModelsContract(async () => {
    const readModels = await openRedisReadModels({ url: sentinel?.url ?? "" });
    return { readModels, close: () => readModels.close() };
  });
});

describe.skipIf(cluster === null)("redis cluster", () => {
  readModelsContract(async () => {
    const readModels = await openRedisReadModels({ url: cluster?.url ?? "" });
    return { readModels, close: () => readModels.close() };
  });
});

describe.skipIf(redis === null)("redis", () => {
  readModelsContract(async () => {
    const readModels = await openRedisReadModels({ url });
    return { readModels, close: () => readModels.close() };
  });

  describe("trouble", () => {
    let readModels: RedisReadModels;
    beforeAll(async () => {
      readModels = await openRedisReadModels({ url, commandTimeoutMs: 100, batchTimeoutMs: 200 });
    });
    afterAll(() => readModels.close());

    test("a script that Redis has forgotten is loaded again, within the batch", async () => {
      const write = (at: number) => ({ key: `flushed:${at}`, from: 0, to: 1, set: new Map([["a", Buffer.from("1")]]) });
      await readModels.write([write(0)]);
      const other = new Redis(url);
      await other.script("FLUSH");
      await other.quit();
      const outcomes = await readModels.write(Array.from({ length: 50 }, (_, at) => write(at + 1)));
      expect(outcomes).toEqual(Array.from({ length: 50 }, () => ({ status: "written" })));
    });

    test("a Redis that hangs is given up at the deadline, and used again when it is back", async () => {
      const pid = redis?.pid ?? 0;
      process.kill(pid, "SIGSTOP");
      try {
        await expect(readModels.get("k", "a")).rejects.toThrow(ReadModelsUnavailable);
        await expect(readModels.read(["k"])).rejects.toThrow(ReadModelsUnavailable);
        await expect(readModels.write([{ key: "k", from: 0, to: 1, set: new Map() }])).rejects.toThrow(
          ReadModelsUnavailable,
        );
      } finally {
        process.kill(pid, "SIGCONT");
      }
      await expect.poll(() => readModels.get("k", "a").catch(() => "not yet"), { timeout: 30_000 }).toBeNull();
    });

    test("an answer that came while this process was busy counts", async () => {
      const answer = readModels.get("busy", "a");
      await new Promise((resolve) => setTimeout(resolve, 5));
      const until = performance.now() + 300;
      while (performance.now() < until);
      expect(await answer).toBeNull();
    });

    test("every process is told of rows that were flushed, once", async () => {
      const others = await Promise.all([1, 2].map(() => openRedisReadModels({ url, lossCheckMs: 30 })));
      const listeners = others.map(() => vi.fn());
      for (const [at, other] of others.entries()) other.onLoss((rows) => listeners[at]?.(rows));
      const told = (): number[] => listeners.map(({ mock }) => mock.calls.length);
      const flusher = new Redis(url);
      await flusher.flushall();
      await vi.waitFor(() => expect(told()).not.toContain(0), { timeout: 30_000 });
      await flusher.quit();
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(listeners.map(({ mock }) => mock.calls)).toEqual([[["any"]], [["any"]]]);
      await Promise.all(others.map((other) => other.close()));
    });

    test("a restart is told, also one that kept the rows", async () => {
      const folder = temporaryFolder();
      const settings = { dir: folder, save: "3600 1" };
      const before = await startRedis({ settings });
      if ("skip" in before) throw new Error(before.skip);
      const port = Number(new URL(before.url).port);
      const own = await openRedisReadModels({ url: before.url });
      const told = vi.fn();
      own.onLoss(told);
      await own.write([{ key: "kept", from: 0, to: 1, set: new Map([["a", Buffer.from("1")]]) }]);
      await before.stop();
      const after = await startRedis({ port, settings });
      if ("skip" in after) throw new Error(after.skip);
      await vi.waitFor(() => expect(told).toHaveBeenCalledWith("newest"), { timeout: 30_000 });
      expect(await own.get("kept", "a")).toEqual(Buffer.from("1"));
      await own.close();
      await after.stop();
    });

    test("no Redis is told at once", async () => {
      await expect(openRedisReadModels({ url: "redis://127.0.0.1:1" })).rejects.toThrow(ReadModelsUnavailable);
    });

    test("close is idempotent", async () => {
      const one = await openRedisReadModels({ url });
      await Promise.all([one.close(), one.close()]);
      await expect(one.get("k", "a")).rejects.toThrow(ReadModelsUnavailable);
    });
  });
});
