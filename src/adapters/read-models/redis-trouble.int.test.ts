import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { privateRedis, privateRedisCluster, privateRedisSentinel } from "../../../test/support/engines.ts";
import { startRedis } from "../../../test/support/redis.ts";
import { ask, until } from "../../../test/support/redis-sentinel.ts";
import { type GuardedWrite, ReadModelsUnavailable } from "../../ports/read-models.ts";
import { openRedisServers, redisInfo } from "../engines/open-redis.ts";
import { slotOf } from "../engines/redis-slot.ts";
import { openRedisReadModels, type RedisReadModels } from "./redis.ts";
import { createCommands } from "./redis-commands.ts";
import { toKey } from "./redis-rows.ts";

// Each refusal that Redis has for a command that is right, provoked on the real engine.

const redis = await privateRedis();
const sentinel = await privateRedisSentinel();
const cluster = await privateRedisCluster();

const put = (key: string, from: number, to: number, value = String(to)): GuardedWrite => ({
  ...{ key, from, to },
  set: new Map([["a", Buffer.from(value)]]),
});
const written = (count: number) => Array.from({ length: count }, () => ({ status: "written" }));

describe.skipIf(cluster === null)("a cluster", () => {
  const servers = cluster?.servers ?? [];
  const ports = (): number[] => servers.map(({ port }) => port);
  let readModels: RedisReadModels;
  beforeAll(async () => {
    readModels = await openRedisReadModels({ url: cluster?.url ?? "" });
  });
  afterAll(() => readModels.close());

  /** Keys of rows that all lie in one slot, since only what is in braces counts. */
  const inOneSlot = (tag: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${tag}}${at}`);

  test("slots are computed as the cluster does", async () => {
    const keys = ["", "a", "{a}b", "a{}b", "a{{b}c", "proximal:{k {ä} 日本}", "\u{1f600}", toKey("n1:learner:ada")];
    for (const key of keys) expect(slotOf(key)).toBe(await ask(ports()[0] ?? 0, ["cluster", "keyslot", key]));
  });

  test("each of its masters says how it is", async () => {
    const infos = await redisInfo(cluster?.url ?? "");
    expect(infos.map((info) => /^role:(\w+)/m.exec(info)?.[1])).toEqual(["master", "master", "master"]);
    await expect(redisInfo("redis+cluster://127.0.0.1:1,127.0.0.1:2")).rejects.toThrow();
    await expect(redisInfo("redis+sentinel://127.0.0.1:1,127.0.0.1:2/x")).rejects.toThrow();
  });

  test("NOSCRIPT: scripts that all nodes have forgotten are loaded again, within the batch", async () => {
    const batch = (name: string) => Array.from({ length: 60 }, (_, at) => put(`${name}:${at}`, 0, 1));
    expect(await readModels.write(batch("before"))).toEqual(written(60));
    await Promise.all(ports().map((port) => ask(port, ["script", "flush"])));
    expect(await readModels.write(batch("after"))).toEqual(written(60));
  });

  test("MOVED, ASK: a slot moves under load, and no write or read fails or is done twice", async () => {
    const keys = inOneSlot("moving", 300);
    const slot = slotOf(toKey(keys[0] ?? ""));
    const from = await cluster?.owner(slot);
    const to = servers.slice(0, 3).find(({ port }) => port !== from?.port);
    if (cluster == null || from === undefined || to === undefined) throw new Error("no servers");
    await readModels.write(keys.map((key) => put(key, 0, 1)));

    // Copies may lag, so they are not asked here.
    const patient = await openRedisReadModels({ url: cluster.url, hedgeMs: 5000, commandTimeoutMs: 5000 });
    let moved = false;
    const load = async (): Promise<number> => {
      let version = 1;
      for (; !moved || version < 10; version += 1) {
        const outcomes = await patient.write(keys.map((key) => put(key, version, version + 1)));
        expect(outcomes).toEqual(written(keys.length));
        const values = await patient.getMany(keys, "a");
        expect(values.map(String)).toEqual(keys.map(() => String(version + 1)));
      }
      return version;
    };
    const move = async (): Promise<void> => {
      await moveSlot(slot, from.port, to.port);
      moved = true;
    };
    const [version] = await Promise.all([load(), move()]);
    expect((await readModels.read(keys)).map((row) => row.version)).toEqual(keys.map(() => version));
    expect((await cluster.owner(slot)).port).toBe(to.port);
    await patient.close();
  });

  test("a row that has moved on is not said to be missing by a copy of the server it left", async () => {
    const [key = ""] = inOneSlot("left", 1);
    const slot = slotOf(toKey(key));
    const from = await cluster?.owner(slot);
    const to = servers.slice(0, 3).find(({ port }) => port !== from?.port);
    if (cluster === null || from === undefined || to === undefined) throw new Error("no servers");
    await readModels.write([put(key, 0, 1)]);
    await startMove(slot, from.port, to.port);
    await ask(from.port, ["migrate", "127.0.0.1", to.port, toKey(key), 0, 1000]);
    // A copy is asked at once, and the master is slow: what the copy says comes first.
    const hasty = await openRedisReadModels({ url: cluster.url, hedgeMs: 1, commandTimeoutMs: 3000 });
    process.kill(from.pid, "SIGSTOP");
    const reading = hasty.get(key, "a");
    await new Promise((resolve) => setTimeout(resolve, 200));
    process.kill(from.pid, "SIGCONT");
    expect(await reading).toEqual(Buffer.from("1"));
    await endMove(slot, to.port);
    await hasty.close();
  });

  test("a move of slots is told, since a new owner may be one that knows less", async () => {
    const told = vi.fn();
    const stop = readModels.onLoss(told);
    const slot = slotOf("proximal:canary:{0}");
    const from = (await cluster?.owner(slot))?.port ?? 0;
    const to =
      ports()
        .slice(0, 3)
        .find((port) => port !== from) ?? 0;
    await moveSlot(slot, from, to);
    await vi.waitFor(() => expect(told).toHaveBeenCalled(), { timeout: 30_000 });
    stop();
  });

  test("keys are listed whole while slots move", async () => {
    const keys = Array.from({ length: 40 }, (_, tag) => inOneSlot(`listed ${tag}`, 5)).flat();
    await readModels.write(keys.map((key) => put(key, 0, 1)));
    const moves = async (): Promise<void> => {
      for (let tag = 0; tag < 40; tag += 1) {
        const slot = slotOf(toKey(`listed ${tag}}`));
        const from = (await cluster?.owner(slot))?.port;
        const to = ports()[(tag * 7) % 3];
        if (from !== undefined && to !== undefined && from !== to) await moveSlot(slot, from, to);
      }
    };
    const moving = moves();
    const found: string[] = [];
    for await (const page of readModels.keys("listed ")) found.push(...page);
    await moving;
    expect(found.sort()).toEqual([...keys].sort());
  });

  test("TRYAGAIN: a command on two keys of which one has moved already waits for the other", async () => {
    const [first = "", second = ""] = inOneSlot("torn", 2).map(toKey);
    const slot = slotOf(first);
    const from = (await cluster?.owner(slot))?.port ?? 0;
    const to =
      ports()
        .slice(0, 3)
        .find((port) => port !== from) ?? 0;
    await Promise.all([ask(from, ["set", first, "1"]), ask(from, ["set", second, "2"])]);
    await startMove(slot, from, to);
    await ask(from, ["migrate", "127.0.0.1", to, first, 0, 1000]);
    await expect(ask(from, ["mget", first, second])).rejects.toThrow("TRYAGAIN");

    const connections = await openRedisServers(cluster?.url ?? "", { onError: () => undefined });
    let reply: unknown;
    const running = createCommands(connections)(
      [
        {
          key: first,
          add: (pipeline) => pipeline.mget(first, second),
          done: (got) => {
            reply = got;
          },
        },
      ],
      { until: performance.now() + 10_000, patient: true },
    );
    await ask(from, ["migrate", "127.0.0.1", to, second, 0, 1000]);
    await endMove(slot, to);
    await running;
    expect(reply).toEqual(["1", "2"]);
    await connections.close();
  });

  test("CLUSTERDOWN: a cluster without a majority refuses writes, and takes them again when it is back", async () => {
    if (cluster === null) return;
    const impatient = await openRedisReadModels({ url: cluster.url, batchTimeoutMs: 500 });
    await impatient.write([put("down", 0, 1)]);
    const owner = await cluster.owner(slotOf(toKey("down")));
    const others = servers.filter(({ port }) => port !== owner.port);
    for (const { pid } of others) process.kill(pid, "SIGSTOP");
    try {
      await until(async () => {
        expect(String(await ask(owner.port, ["cluster", "info"]))).toContain("cluster_state:fail");
      });
      await expect(ask(owner.port, ["set", toKey("down"), "x"])).rejects.toThrow("CLUSTERDOWN");
      await expect(impatient.write([put("down", 1, 2)])).rejects.toThrow(ReadModelsUnavailable);
      // Reads go on where the owner of the row is there.
      expect(await impatient.get("down", "a")).toEqual(Buffer.from("1"));
    } finally {
      for (const { pid } of others) process.kill(pid, "SIGCONT");
    }
    await cluster.settled();
    await vi.waitFor(async () => expect(await impatient.write([put("down", 1, 2)])).toEqual([{ status: "written" }]), {
      timeout: 30_000,
      interval: 100,
    });
    await impatient.close();
  });

  test("changes are heard whichever node they are published on, and after the node that told them is gone", async () => {
    const told = new Set<string>();
    const stop = readModels.onChange((keys) => {
      for (const key of keys ?? []) told.add(key);
    });
    let n = 0;
    const heard = async (): Promise<void> => {
      n += 1;
      const keys = Array.from({ length: 30 }, (_, at) => `heard ${n} ${at}`);
      await readModels.write(keys.map((key) => put(key, 0, 1)));
      await vi.waitFor(() => expect(keys.filter((key) => !told.has(key))).toEqual([]), { timeout: 2000 });
    };
    await until(heard);
    for (const port of ports()) {
      // Ends the subscribing connection, as the end of its server does.
      await ask(port, ["client", "kill", "type", "pubsub"]);
    }
    await until(heard);
    stop();
  });

  /** Moves a slot as an operator's tool does, key by key. */
  async function moveSlot(slot: number, from: number, to: number): Promise<void> {
    await startMove(slot, from, to);
    for (;;) {
      const keys = (await ask(from, ["cluster", "getkeysinslot", slot, 20])) as string[];
      if (keys.length === 0) break;
      for (const key of keys) await ask(from, ["migrate", "127.0.0.1", to, key, 0, 1000]);
    }
    await endMove(slot, to);
  }
  async function startMove(slot: number, from: number, to: number): Promise<void> {
    const [fromId, toId] = await Promise.all([from, to].map((port) => ask(port, ["cluster", "myid"])));
    await ask(to, ["cluster", "setslot", slot, "importing", String(fromId)]);
    await ask(from, ["cluster", "setslot", slot, "migrating", String(toId)]);
  }
  async function endMove(slot: number, to: number): Promise<void> {
    const id = String(await ask(to, ["cluster", "myid"]));
    await ask(to, ["cluster", "setslot", slot, "node", id]);
    for (const port of ports()) await ask(port, ["cluster", "setslot", slot, "node", id]).catch(() => undefined);
  }
});

describe.skipIf(sentinel === null)("a master with copies", () => {
  // Before the others: sentinels that were stopped start no fail-over for half a minute (TILT).
  test("READONLY, a planned fail-over: what the old master refuses is written to the new one", async () => {
    if (sentinel === null) return;
    const readModels = await openRedisReadModels({ url: sentinel.url });
    const told = vi.fn();
    readModels.onLoss(told);
    const before = await sentinel.master();
    await readModels.write([put("planned", 0, 1)]);
    const sentinelPort = Number(/:(\d+)/.exec(sentinel.url)?.[1]);
    await until(async () => void (await ask(sentinelPort, ["sentinel", "failover", "read-models"])));
    while ((await sentinel.master().catch(() => before)).port === before.port) {
      try {
        const [row] = await readModels.read(["planned"]);
        await readModels.write([put("planned", row?.version ?? 0, (row?.version ?? 0) + 1)]);
      } catch (error) {
        if (!(error instanceof ReadModelsUnavailable)) throw error;
      }
    }
    await sentinel.settled();
    await vi.waitFor(() => expect(told).toHaveBeenCalled(), { timeout: 30_000 });
    const [row] = await readModels.read(["planned"]);
    const version = row?.version ?? 0;
    expect(await readModels.write([put("planned", version, version + 1)])).toEqual([{ status: "written" }]);
    await readModels.close();
  });

  test("connections that end while no sentinel answers are made again when one does", async () => {
    if (sentinel === null) return;
    const readModels = await openRedisReadModels({ url: sentinel.url });
    await readModels.write([put("sentinels hang", 0, 1)]);
    for (const pid of sentinel.sentinelPids) process.kill(pid, "SIGSTOP");
    try {
      for (const { port } of sentinel.servers)
        await ask(port, ["client", "kill", "type", "normal"]).catch(() => undefined);
      await until(async () => {
        await expect(readModels.get("sentinels hang", "a")).rejects.toThrow(ReadModelsUnavailable);
      });
      // Longer than all sentinels together are waited for.
      await new Promise((resolve) => setTimeout(resolve, 2500));
    } finally {
      for (const pid of sentinel.sentinelPids) process.kill(pid, "SIGCONT");
    }
    await until(async () => {
      expect(await readModels.write([put("sentinels hang", 1, 2)])).toEqual(written(1));
    });
    await readModels.close();
    await sentinel.settled();
  });

  test("a connection that is given up in the moment in which a sentinel is asked for the master is made again", async () => {
    if (sentinel === null) return;
    const servers = await openRedisServers(sentinel.url, { onError: () => undefined });
    const master = servers.master("any");
    for (const pid of sentinel.sentinelPids) process.kill(pid, "SIGSTOP");
    try {
      for (const { port } of sentinel.servers)
        await ask(port, ["client", "kill", "type", "normal"]).catch(() => undefined);
      await until(async () => expect(master?.status).toBe("connecting"));
      // As word of a new master does, and as we do where a server that was the master says READONLY.
      master?.disconnect(true);
      await until(async () => expect(master?.status).not.toBe("connecting"));
    } finally {
      for (const pid of sentinel.sentinelPids) process.kill(pid, "SIGCONT");
    }
    await until(async () => expect(await master?.set("any", "1")).toBe("OK"));
    await servers.close();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(master?.status).toBe("end");
    await sentinel.settled();
  });
});

describe.skipIf(redis === null)("one server", () => {
  test("READONLY: writes wait while it is made a copy of another, and go on when it is master again", async () => {
    const port = redis?.port ?? 0;
    const readModels = await openRedisReadModels({ url: redis?.url ?? "" });
    await ask(port, ["replicaof", "127.0.0.1", "1"]);
    await expect(ask(port, ["set", "x", "1"])).rejects.toThrow("READONLY");
    const writing = readModels.write([put("refused", 0, 1)]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await ask(port, ["replicaof", "no", "one"]);
    expect(await writing).toEqual([{ status: "written" }]);
    await readModels.close();
  });

  test("LOADING: a server that is still reading its rows from disk is waited for", async () => {
    const settings = { appendonly: "no", "key-load-delay": "300", "loading-process-events-interval-bytes": "1024" };
    const before = await startRedis({ settings: { save: "3600 1" } });
    if ("skip" in before) throw new Error(before.skip);
    const filler = new Redis(before.url);
    const rows = filler.pipeline();
    for (let at = 0; at < 5000; at += 1) rows.set(`filler:${at}`, "x".repeat(100));
    await rows.exec();
    await filler.quit();
    const readModels = await openRedisReadModels({ url: before.url, batchTimeoutMs: 15_000 });
    await readModels.write([put("loaded", 0, 1)]);
    await before.stop({ keepFolder: true });
    const starting = startRedis({ port: before.port, folder: before.folder, settings });
    await until(async () => void (await expect(ask(before.port, ["get", "x"])).rejects.toThrow("LOADING")));
    await expect(readModels.get("loaded", "a")).rejects.toThrow(ReadModelsUnavailable);
    expect(await readModels.write([put("loaded", 1, 2)])).toEqual([{ status: "written" }]);
    expect(await readModels.get("loaded", "a")).toEqual(Buffer.from("2"));
    await readModels.close();
    const after = await starting;
    if (!("skip" in after)) await after.stop();
  });
});
