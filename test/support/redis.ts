import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { findProgram, freePort, type Skip, startServer, untilReady } from "./servers.ts";

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** For tests that stop (SIGSTOP) or kill it. */
  readonly pid: number;
  /** Its own; kept on demand when it stops, for the next server. */
  readonly folder: string;
  stop(options?: { readonly keepFolder?: boolean }): Promise<void>;
}

export interface RedisServerOptions {
  readonly port?: number;
  /** Of a server before, stopped with keepFolder. */
  readonly folder?: string;
  /** More settings, as on the server's command line without the dashes. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A private Redis without persistence on a free port of 127.0.0.1. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer | Skip> {
  const program = findProgram("redis-server");
  if (program === null) return { skip: "Redis is not installed (no redis-server in PATH)" };
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "proximal-redis-"));
  const port = options.port ?? (await freePort());
  const settings = {
    bind: "127.0.0.1",
    port: String(port),
    save: "",
    appendonly: "no",
    dir: folder,
    ...options.settings,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const server = startServer(program, args, folder, "SIGTERM", { cwd: folder });
  try {
    await untilReady(server, () => ping(port));
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: server.child.pid ?? 0,
    folder,
    stop: server.stop,
  };
}

async function ping(port: number): Promise<void> {
  const redis = new Redis({ host: "127.0.0.1", port, lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => {});
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}
