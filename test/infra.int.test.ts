import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { orSkip } from "./support/engines.ts";
import { findProgram, freePort, startServer, untilReady } from "./support/servers.ts";

const program = findProgram("redis-server") ?? orSkip({ skip: "Redis is not installed (no redis-server in PATH)" });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "proximal-redis-conf-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `work` on a real server that was started with this file of infra/redis. */
async function withServer(
  file: string,
  args: (port: number) => readonly string[],
  work: (redis: Redis, port: number) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const server = startServer(program ?? "", [file, "--port", String(port), ...args(port)], folder, "SIGTERM", {
    cwd: folder,
  });
  const redis = new Redis({
    host: "127.0.0.1",
    port,
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  redis.on("error", () => {});
  try {
    await untilReady(server, async () => {
      if (redis.status !== "ready") await redis.connect();
    });
    await work(redis, port);
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

const conf = (name: string): string => join(import.meta.dirname, `../infra/redis/${name}.conf`);
const own = (): string[] => ["--bind", "127.0.0.1", "--dir", folder];

describe.skipIf(program === null)("infra/redis", () => {
  test.each(["read-models", "jobs"])("a real Redis takes %s.conf, and refuses writes when it is full", (name) =>
    withServer(conf(name), own, async (redis) => {
      expect(await redis.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
      expect(await redis.config("GET", "appendonly")).toEqual(["appendonly", "yes"]);
      await redis.config("SET", "maxmemory", "1mb");
      const fill = async (): Promise<void> => {
        for (let n = 0; n < 100; n += 1) await redis.set(`k${n}`, "x".repeat(50_000));
      };
      await expect(fill()).rejects.toThrow("OOM");
    }),
  );

  test("read-models.conf serves a node of a cluster too", () =>
    withServer(
      conf("read-models"),
      () => [...own(), "--cluster-enabled", "yes"],
      async (redis) => {
        expect(await redis.config("GET", "cluster-node-timeout")).toEqual(["cluster-node-timeout", "2000"]);
        expect(await redis.cluster("INFO")).toContain("cluster_known_nodes:1");
      },
    ));

  test("sentinel.conf watches the Redis of the read models and that of the jobs", async () => {
    const file = join(folder, "sentinel.conf");
    const names = /^(sentinel monitor \S+) \S+/gm;
    writeFileSync(file, readFileSync(conf("sentinel"), "utf8").replace(names, "$1 127.0.0.1"));
    await withServer(
      file,
      () => ["--bind", "127.0.0.1", "--sentinel"],
      async (redis) => {
        for (const name of ["read-models", "jobs"]) {
          expect(await redis.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)).toEqual(["127.0.0.1", "6379"]);
        }
      },
    );
  });
});
