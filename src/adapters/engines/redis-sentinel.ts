import { Redis } from "ioredis";
import { makeLasting } from "./redis-lasting.ts";
import type { ConnectionOptions, RedisServers, RedisServersOptions } from "./redis-servers.ts";
import { connected, oneMaster } from "./redis-single.ts";
import type { RedisAddress } from "./redis-url.ts";

/** One master, and copies of it, of which the sentinels make one the master when it fails. */
export async function openRedisSentinel(
  { hosts, name }: RedisAddress,
  common: ConnectionOptions,
  { onError }: RedisServersOptions,
): Promise<RedisServers> {
  let opened = false;
  const options = {
    ...common,
    lazyConnect: true,
    sentinels: [...hosts],
    name: name ?? "",
    enableTLSForSentinelMode: common.tls !== undefined,
    ...(common.tls === undefined ? {} : { sentinelTLS: common.tls }),
    enableOfflineQueue: false,
    // Sentinels tell of a new master; without it a connection to one that hangs would stay.
    failoverDetector: true,
    sentinelReconnectStrategy: () => 1000,
    sentinelCommandTimeout: 500,
    // No sentinel answers, or none knows a server of this role. Once null is returned a connection is never tried again.
    sentinelRetryStrategy: (attempt: number) => (opened ? Math.min(50 * attempt, 500) : null),
  };
  const redis = new Redis(options);
  redis.on("error", onError);
  await connected(redis);
  opened = true;
  makeLasting(redis);
  const replica = new Redis({ ...options, role: "slave" });
  // There may be none for a while, as after a fail-over; it is looked for again and again.
  replica.on("error", () => undefined);
  makeLasting(replica);
  replica.connect().catch(() => undefined);
  return oneMaster(redis, replica);
}
