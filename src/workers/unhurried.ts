import { setTimeout as sleep } from "node:timers/promises";
import type { Feed } from "../ports/feed.ts";

/** Least time between two looks at the log by those who look for what comes rarely. Milliseconds. */
export const unhurriedMs = 100;

/**
 * The feed's word comes with every answer of every learner, what authors write and what the trainer publishes comes rarely: so a
 * look at the log is taken at most once per pause. Who waits to catch up aborts the pause.
 */
export function unhurried(feed: Feed, pauseMs = unhurriedMs): Feed {
  return {
    read: (after, limit, filter) => feed.read(after, limit, filter),
    head: () => feed.head(),
    behind: (after, filter) => feed.behind(after, filter),
    async waitForMore(after, timeoutMs, signal) {
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await feed.waitForMore(after, timeoutMs, signal);
    },
  };
}
