import type { Clock } from "../../ports/clock.ts";
import type { Lease } from "../../ports/lease.ts";

/** Among the workers of one process, and for tests. */
export function createMemoryLease(clock: Clock): Lease {
  const leases = new Map<string, { holder: string; token: number; expiresAt: number }>();
  return {
    async take(name, holder, forMs) {
      const now = clock.now();
      const held = leases.get(name);
      const mine = held?.holder === holder;
      // What would end later than any that is taken now is from before the clock was set back.
      if (held !== undefined && !mine && held.expiresAt > now && held.expiresAt <= now + 2 * forMs) return null;
      const token = held === undefined ? 1 : held.token + (mine ? 0 : 1);
      leases.set(name, { holder, token, expiresAt: now + forMs });
      return { token };
    },
    async release(name, holder) {
      const held = leases.get(name);
      // The row stays: the next holder's token must be greater.
      if (held?.holder === holder) held.expiresAt = Number.NEGATIVE_INFINITY;
    },
  };
}
