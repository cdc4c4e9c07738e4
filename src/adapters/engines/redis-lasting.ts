import type { Redis } from "ioredis";

const againMs = 250;
const closing = new WeakSet<Redis>();

/**
 * From now on a connection that ends is made again, until `letEnd`. ioredis tries again by itself, but for one moment: where
 * word of a new master comes, or a connection is given up, while it asks a sentinel who the master is, it takes that for
 * the caller's own wish and is never heard of again (SentinelConnector.connect of 6.0.0).
 */
export function makeLasting(redis: Redis): void {
  redis.on("end", () => {
    setTimeout(() => {
      if (!closing.has(redis) && redis.status === "end") redis.connect().catch(() => undefined);
    }, againMs).unref();
  });
}

/** The next end is meant. */
export function letEnd(redis: Redis): void {
  closing.add(redis);
}
