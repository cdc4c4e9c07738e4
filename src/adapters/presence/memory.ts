import type { Clock } from "../../ports/clock.ts";
import type { Presence } from "../../ports/presence.ts";

/** Of one process, and for tests. */
export function createMemoryPresence(clock: Clock): Presence {
  const processes = new Map<string, { said: string; expiresAt: number }>();
  return {
    async report(id, said, forMs) {
      processes.set(id, { said: JSON.stringify(said), expiresAt: clock.now() + forMs });
    },
    async leave(id) {
      processes.delete(id);
    },
    async present() {
      for (const [id, { expiresAt }] of processes) if (expiresAt <= clock.now()) processes.delete(id);
      return Array.from(processes, ([id, { said }]) => ({ id, said: JSON.parse(said) as unknown })).sort((a, b) =>
        a.id < b.id ? -1 : 1,
      );
    },
  };
}
