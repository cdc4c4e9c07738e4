import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { orSkip } from "./support/engines.ts";
import { findProgram, freePort, startServer, untilReady } from "./support/servers.ts";

const program = findProgram("redis-server") ?? orSkip({ skip: "Redis is not installed (no redis-server in PATH)" });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "proximal-redis-conf-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(program === null)(
  "a real Redis takes infra/redis/redis.conf, and refuses writes when it is full",
  async () => {
    const port = await freePort();
    const conf = join(import.meta.dirname, "../infra/redis/redis.conf");
    const args = [conf, "--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
    const server = startServer(program ?? "", args, folder, "SIGTERM", { cwd: folder });
    const redis = new Redis({ host: "127.0.0.1", port, lazyConnect: true, retryStrategy: () => null });
    redis.on("error", () => {});
    try {
      await untilReady(server, async () => {
        if (redis.status !== "ready") await redis.connect();
      });
      expect(await redis.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
      expect(await redis.config("GET", "appendonly")).toEqual(["appendonly", "yes"]);
      await redis.config("SET", "maxmemory", "1mb");
      const fill = async (): Promise<void> => {
        for (let n = 0; n < 100; n += 1) await redis.set(`k${n}`, "x".repeat(50_000));
      };
      await expect(fill()).rejects.toThrow("OOM");
    } finally {
      redis.disconnect();
      await server.stop();
    }
  },
);
