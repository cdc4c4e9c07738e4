import { Cluster, Redis } from "ioredis";
import { type ConnectionOptions, type RedisServers, type RedisServersOptions, statesOf } from "./redis-servers.ts";
import { ended } from "./redis-single.ts";
import { slotCount, slotOf } from "./redis-slot.ts";
import type { RedisAddress } from "./redis-url.ts";

/** Canaries are so many, spread evenly: a master with fewer than 16,384 / 64 slots may go without one. */
const canaryCount = 64;
const slotsRefreshInterval = 1000;

/**
 * A Redis Cluster. ioredis keeps the map of slots and a connection to each node; commands are sent on these by us,
 * because its own pipelines are for one node at a time, are sent again as a whole or not at all, and its automatic ones
 * lose commands when a slot moves (ioredis issue 2075).
 */
export async function openRedisCluster(
  { hosts }: RedisAddress,
  common: ConnectionOptions,
  { onError }: RedisServersOptions,
): Promise<RedisServers> {
  const { retryStrategy, db, ...redisOptions } = common;
  const cluster = new Cluster([...hosts], {
    lazyConnect: true,
    redisOptions,
    slotsRefreshInterval,
    slotsRefreshTimeout: 300,
    // A cluster that calls itself down may still answer reads.
    enableReadyCheck: false,
    clusterRetryStrategy: (attempt) => Math.min(25 * 2 ** attempt, 1000),
  });
  const canaries = spreadKeys(canaryCount);
  const canarySlots = canaries.map(slotOf);
  const owners = (): string => canarySlots.map((slot) => cluster.slots[slot]?.[0]).join();
  let ownersBefore = "";
  let known = new Map<string, Redis>();
  const listeners = new Set<(surely: boolean) => void>();
  let random = 0;

  const knowNodes = (): void => {
    known = new Map(cluster.nodes().map((node) => [addressOf(node), node]));
  };
  const at = (address: string | undefined): Redis | null => (address === undefined ? null : known.get(address)) ?? null;

  const refresh = (): Promise<void> => new Promise((resolve) => cluster.refreshSlotsCache(() => resolve()));

  cluster.on("error", onError);
  cluster.on("node error", onError);
  cluster.on("+node", (node: Redis) => {
    knowNodes();
    // Connected before the first command needs it: of a copy that is when its master has failed.
    setImmediate(() => void (node.status === "wait" && node.connect().catch(none)));
  });
  cluster.on("-node", knowNodes);
  cluster.on("refresh", () => {
    knowNodes();
    const now = owners();
    if (ownersBefore !== "" && now !== ownersBefore) for (const listener of listeners) listener(true);
    ownersBefore = now;
  });
  await connected(cluster);

  return {
    master: (key) => at(cluster.slots[slotOf(key)]?.[0]),
    replica(key) {
      const [, ...copies] = cluster.slots[slotOf(key)] ?? [];
      const ready = copies.flatMap((address) => at(address) ?? []).filter(({ status }) => status === "ready");
      random += 1;
      return ready[random % ready.length] ?? null;
    },
    manyKeys: false,
    replicated: true,
    masters: () => cluster.nodes("master"),
    connections: () => cluster.nodes().filter(({ status }) => status === "ready"),
    states: () => statesOf(cluster.nodes()),
    at,
    canaries,
    refresh,
    onOwnerChange: (listener) => void listeners.add(listener),
    async layout() {
      await refresh();
      const all = await Promise.all(cluster.nodes("master").map((node) => node.cluster("NODES")));
      // Of each its own line, "id address flags master ping pong epoch state slots…", with [marks] for slots that move.
      const own = all.map(
        (text) =>
          String(text)
            .split("\n")
            .find((line) => line.includes("myself")) ?? "",
      );
      const slots = own.map((line) => line.split(" ").slice(8).join(" ")).sort();
      return { slots: slots.join("\n"), moving: slots.some((text) => text.includes("[")) };
    },
    subscriber() {
      const all = cluster.nodes().filter(({ status }) => status === "ready");
      const options = all[Math.floor(Math.random() * all.length)]?.options ?? hosts[0];
      const { host = "localhost", port = 6379 } = options ?? {};
      return new Redis({ ...redisOptions, host, port, retryStrategy: () => null });
    },
    async close() {
      await Promise.all(cluster.nodes().map((node) => ended(node)));
      cluster.disconnect();
    },
  };
}

const none = (): void => undefined;
const addressOf = ({ options: { host, port } }: Redis): string => `${host}:${port}`;

async function connected(cluster: Cluster): Promise<void> {
  const patience = setTimeout(() => cluster.disconnect(), 5000);
  try {
    await cluster.connect();
  } catch (error) {
    cluster.disconnect();
    throw error;
  } finally {
    clearTimeout(patience);
  }
}

/** Keys whose slots lie at even distances. */
function spreadKeys(count: number): string[] {
  const keys: string[] = [];
  for (let at = 0, found = 0; found < count; at += 1) {
    const key = `proximal:canary:{${at}}`;
    const part = Math.floor((slotOf(key) * count) / slotCount);
    if (keys[part] !== undefined) continue;
    keys[part] = key;
    found += 1;
  }
  return keys;
}
