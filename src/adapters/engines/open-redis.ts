import { openRedisCluster } from "./redis-cluster.ts";
import { openRedisSentinel } from "./redis-sentinel.ts";
import type { ConnectionOptions, RedisServers, RedisServersOptions } from "./redis-servers.ts";
import { openRedisSingle } from "./redis-single.ts";
import { parseRedisUrl, type RedisAddress } from "./redis-url.ts";

/** Connects, or rejects with the first trouble. From then on connections heal by themselves. */
export function openRedisServers(url: string, options: RedisServersOptions): Promise<RedisServers> {
  const address = parseRedisUrl(url);
  const open = { single: openRedisSingle, sentinel: openRedisSentinel, cluster: openRedisCluster }[address.kind];
  return open(address, commonOptions(address), options);
}

/** What INFO says on each server that takes writes. Rejects with the first trouble. */
export async function redisInfo(url: string): Promise<string[]> {
  let first: Error | null = null;
  const onError = (error: Error): void => {
    first ??= error;
  };
  try {
    const servers = await openRedisServers(url, { onError });
    try {
      return await Promise.all(servers.masters().map((master) => master.info()));
    } finally {
      await servers.close();
    }
  } catch (error) {
    throw first ?? error;
  }
}

/**
 * Of every connection. Retries are ours, with a deadline: ioredis by itself waits without end for a server that hangs,
 * and keeps what it could not send for whichever server comes next.
 */
function commonOptions(address: RedisAddress): ConnectionOptions {
  const { username, password, database, tls } = address;
  return {
    connectTimeout: 500,
    // A connection without an answer for so long is given up: its server hangs, or its machine is gone.
    socketTimeout: 3000,
    // A server that hangs does not confirm the end of a connection either.
    disconnectTimeout: 100,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    maxLoadingRetryTime: 100,
    retryStrategy: (attempt) => Math.min(25 * 2 ** attempt, 1000),
    db: database,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
}
