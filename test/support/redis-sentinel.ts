import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type RedisServer, startRedis } from "./redis.ts";
import { findProgram, freePort, type Skip, startServer, untilReady } from "./servers.ts";

export interface RedisSentinel {
  /** `redis+sentinel://…` of all sentinels. */
  readonly url: string;
  /** The servers by their ports; each may be master. */
  readonly servers: readonly RedisServer[];
  /** Process ids of the sentinels. */
  readonly sentinelPids: readonly number[];
  /** Which of them the sentinels call the master now. */
  master(): Promise<RedisServer>;
  /** Resolves once the sentinels know a master that takes writes, and so many copies that follow it. */
  settled(copies?: number): Promise<void>;
  /** Starts a server that was killed again, on its port. */
  restart(server: RedisServer): Promise<void>;
  stop(): Promise<void>;
}

export const sentinelMaster = "read-models";
/** A master is down for a sentinel after so long, and failed over once most sentinels say so. */
const downAfterMs = 2000;

export interface RedisSentinelOptions {
  /** The port under which a server is known to sentinels, copies and clients, where it is not its own: of a line to it. */
  readonly through?: (port: number) => Promise<number>;
}

/** One master, two copies and three sentinels of 127.0.0.1, with fast settings. */
export async function startRedisSentinel({ through }: RedisSentinelOptions = {}): Promise<RedisSentinel | Skip> {
  const program = findProgram("redis-server");
  if (program === null) return { skip: "Redis is not installed (no redis-server in PATH)" };
  const servers: RedisServer[] = [];
  /** Ports as all others know them, by the servers' own. */
  const known = new Map<number, number>();
  const sentinels: { readonly port: number; readonly pid: number; stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all([...sentinels, ...servers].map((server) => server.stop()));
  };
  const start = async (settings: Readonly<Record<string, string>>, given?: number): Promise<RedisServer> => {
    const port = given ?? (await freePort());
    const told = known.get(port) ?? (await through?.(port)) ?? port;
    known.set(port, told);
    const announced = { "replica-announce-ip": "127.0.0.1", "replica-announce-port": String(told) };
    const server = await startRedis({ settings: { ...fast, ...announced, ...settings }, port });
    if ("skip" in server) throw new Error(server.skip);
    return server;
  };
  try {
    const master = await start({});
    servers.push(master);
    const first = known.get(master.port) ?? 0;
    for (let at = 0; at < 2; at += 1) servers.push(await start({ replicaof: `127.0.0.1 ${first}` }));
    for (let at = 0; at < 3; at += 1) sentinels.push(await startSentinel(program, first));
  } catch (error) {
    await stop();
    throw error;
  }
  const ports = sentinels.map(({ port }) => port);
  const masterPort = async (): Promise<number> => {
    const answers = await Promise.allSettled(
      ports.map((port) => ask(port, ["sentinel", "get-master-addr-by-name", sentinelMaster])),
    );
    const found = answers.flatMap((one) => (one.status === "fulfilled" ? [Number((one.value as string[])[1])] : []));
    if (found.length < 2 || found.some((port) => port !== found[0])) throw new Error(`sentinels disagree: ${found}`);
    return found[0] ?? 0;
  };
  const sentinel: RedisSentinel = {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(",")}/${sentinelMaster}`,
    servers,
    sentinelPids: sentinels.map(({ pid }) => pid),
    async master() {
      const port = await masterPort();
      const server = servers.find((one) => known.get(one.port) === port);
      if (server === undefined) throw new Error(`no server of ours at port ${port}`);
      return server;
    },
    settled: (copies = 2) =>
      until(async () => {
        const port = await masterPort();
        const role = (await ask(port, ["role"])) as [string, number, [string, string, string][]];
        if (role[0] !== "master" || role[2].length < copies) throw new Error(`${port}: ${JSON.stringify(role)}`);
        const copiesKnown = (await ask(ports[0] ?? 0, ["sentinel", "replicas", sentinelMaster])) as string[][];
        const up = copiesKnown.filter((fields) => fields[fields.indexOf("flags") + 1] === "slave");
        if (up.length < copies) throw new Error(`${up.length} copies are up`);
        const others = (await ask(ports[0] ?? 0, ["sentinel", "sentinels", sentinelMaster])) as string[][];
        if (others.length < 2) throw new Error("sentinels do not know each other");
      }),
    async restart(server) {
      await server.stop();
      const port = await masterPort();
      const isMaster = port === known.get(server.port);
      const again = await start(isMaster ? {} : { replicaof: `127.0.0.1 ${port}` }, server.port);
      servers[servers.indexOf(server)] = again;
    },
    stop,
  };
  await sentinel.settled();
  return sentinel;
}

/** Copies follow within a tenth of a second, and a full copy starts at once. */
const fast = { "repl-diskless-sync-delay": "0", "repl-ping-replica-period": "1", "repl-timeout": "10" };

async function startSentinel(
  program: string,
  master: number,
): Promise<{ port: number; pid: number; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "proximal-sentinel-"));
  const port = await freePort();
  // Sentinels write what they learn into their own file.
  const file = join(folder, "sentinel.conf");
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor ${sentinelMaster} 127.0.0.1 ${master} 2`,
    `sentinel down-after-milliseconds ${sentinelMaster} ${downAfterMs}`,
    `sentinel failover-timeout ${sentinelMaster} 5000`,
    `sentinel parallel-syncs ${sentinelMaster} 2`,
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const server = startServer(program, [file, "--sentinel"], folder, "SIGTERM", { cwd: folder });
  await untilReady(server, async () => void (await ask(port, ["ping"])));
  return { port, pid: server.child.pid ?? 0, stop: server.stop };
}

/** The answer of the server at a port of 127.0.0.1 to one command, over a connection of its own. */
export async function ask(port: number, command: readonly [string, ...(string | number)[]]): Promise<unknown> {
  const redis = new Redis({
    ...{ host: "127.0.0.1", port, lazyConnect: true, protocol: 2, enableReadyCheck: false },
    ...{ connectTimeout: 500, commandTimeout: 1000, retryStrategy: () => null },
  });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    const [name, ...args] = command;
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}

/** Tries each 50 ms until it works; throws the last error after `limitMs`. */
export async function until(tryOnce: () => Promise<void>, limitMs = 30_000): Promise<void> {
  const end = performance.now() + limitMs;
  for (;;) {
    try {
      return await tryOnce();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
