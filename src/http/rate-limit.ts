import { LRUCache } from "lru-cache";

export interface RateLimiter {
  /** Counts one request of the key; null when it may pass, else seconds until it may try again. */
  take(keyId: string, now: number): number | null;
}

const windowMs = 60_000;

/**
 * At most `perMinute` requests of a key in each minute of the clock, counted in this process: what one process can
 * serve is what is to be shared out. @fastify/rate-limit does the same at a cost of 4 us a request (a fifth of what a
 * bare route takes), because it awaits its store and writes three headers.
 */
export function createRateLimiter(perMinute: number, maxKeys = 10_000): RateLimiter {
  const counts = new LRUCache<string, { window: number; taken: number }>({ max: maxKeys });
  return {
    take(keyId, now) {
      const window = Math.floor(now / windowMs);
      let count = counts.get(keyId);
      if (count === undefined) {
        count = { window, taken: 0 };
        counts.set(keyId, count);
      }
      if (count.window !== window) {
        count.window = window;
        count.taken = 0;
      }
      if (count.taken >= perMinute) return Math.ceil(((window + 1) * windowMs - now) / 1000);
      count.taken += 1;
      return null;
    },
  };
}
