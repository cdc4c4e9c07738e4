import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { privateRedis } from "../../../test/support/engines.ts";
import { startRedis } from "../../../test/support/redis.ts";
import { JobsUnavailable } from "../../ports/job-queue.ts";
import { openBullJobs } from "./bullmq.ts";
import { jobQueueContract } from "./job-queue.contract.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const redis = await privateRedis({ settings: { "maxmemory-policy": "noeviction", databases: "64" } });
let database = 0;

function newEngine() {
  database += 1;
  const url = `${redis?.url}/${database}`;
  return {
    shared: true,
    open: ({ concurrency = 1 } = {}) => openBullJobs({ url, log, concurrency, retryMs: 20, finishMs: 100 }),
  };
}

describe.skipIf(redis === null)("jobs in BullMQ", () => {
  jobQueueContract(newEngine);

  test("a Redis that is not there is said at once", async () => {
    await expect(openBullJobs({ url: "redis://127.0.0.1:1", log })).rejects.toThrow(
      /cannot be reached: .*ECONNREFUSED/,
    );
    await expect(openBullJobs({ url: "redis://127.0.0.1:1", log })).rejects.toBeInstanceOf(JobsUnavailable);
  });

  test("a Redis that hangs keeps nobody waiting, and what was queued is there when it comes back", async () => {
    const server = await startRedis({ settings: { "maxmemory-policy": "noeviction" } });
    if ("skip" in server) throw new Error(server.skip);
    const queue = await openBullJobs({ url: server.url, log, deadlineMs: 200 });
    let runs = 0;
    queue.define("tick", {
      input: z.object({}),
      run: async () => {
        runs += 1;
      },
    });
    try {
      await queue.enqueue("tick", {});
      process.kill(server.pid, "SIGSTOP");
      await expect(queue.enqueue("tick", {})).rejects.toBeInstanceOf(JobsUnavailable);
      process.kill(server.pid, "SIGCONT");
      queue.start();
      await expect.poll(() => runs, { timeout: 30_000 }).toBeGreaterThan(0);
    } finally {
      process.kill(server.pid, "SIGCONT");
      await queue.close();
      await server.stop();
    }
  });

  test("the job of a worker that was killed is done by another", async () => {
    database += 1;
    const url = `${redis?.url}/${database}`;
    const staying = await openBullJobs({ url, log, lockMs: 500 });
    const done: number[] = [];
    staying.define("endless", { input: z.object({}), run: async (_input, { attempt }) => void done.push(attempt) });
    await staying.enqueue("endless", {});
    const script = join(import.meta.dirname, "../../../test/support/work-until-killed.ts");
    const dying = spawn(process.execPath, [script, url], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      await once(dying.stdout, "data");
    } finally {
      dying.kill("SIGKILL");
      await once(dying, "exit");
    }
    staying.start();
    await expect.poll(() => done, { timeout: 30_000 }).toHaveLength(1);
    expect(await staying.counts()).toMatchObject({ active: 0, failed: 0 });
    await staying.close();
  });
});
