import { Redis } from "ioredis";
import { letEnd } from "./redis-lasting.ts";
import { type ConnectionOptions, type RedisServers, type RedisServersOptions, statesOf } from "./redis-servers.ts";
import type { RedisAddress } from "./redis-url.ts";

/** One server, which holds all keys. */
export async function openRedisSingle(
  { hosts: [host] }: RedisAddress,
  common: ConnectionOptions,
  { onError }: RedisServersOptions,
): Promise<RedisServers> {
  const redis = new Redis({ ...common, ...host, lazyConnect: true, enableOfflineQueue: false });
  redis.on("error", onError);
  await connected(redis);
  return oneMaster(redis, null);
}

export async function connected(redis: Redis): Promise<void> {
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

/** All keys on one server at a time; `replica` to a copy of it. */
export function oneMaster(redis: Redis, replica: Redis | null): RedisServers {
  const all = replica === null ? [redis] : [redis, replica];
  return {
    master: () => redis,
    replica: () => replica,
    manyKeys: true,
    replicated: replica !== null,
    masters: () => [redis],
    connections: () => all.filter(({ status }) => status === "ready"),
    states: () => statesOf(all),
    at: () => null,
    canaries: ["proximal:canary"],
    async refresh(_about, error) {
      // It was the master, and has become a copy of another: only a new connection finds that one.
      if (replica !== null && error.message.startsWith("READONLY")) redis.disconnect(true);
    },
    onOwnerChange: (listener) => void redis.on("ready", () => listener(false)),
    layout: async () => null,
    subscriber: () => redis.duplicate({ lazyConnect: false, enableOfflineQueue: true, retryStrategy: () => null }),
    async close() {
      await Promise.all(all.map((one) => ended(one)));
    },
  };
}

/** Ends a connection, letting what is under way be answered. */
export async function ended(redis: Redis): Promise<void> {
  letEnd(redis);
  const patience = setTimeout(() => redis.disconnect(), 500);
  await redis.quit().catch(() => undefined);
  clearTimeout(patience);
  // After the end too: connections to sentinels, which tell of a new master, would stay and keep the process.
  redis.disconnect();
}
