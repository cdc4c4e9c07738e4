import { createRequire } from "node:module";

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
}

const recheckMs = 10;
let mended = false;

/**
 * kafkajs 2.2.4 arms a timer with a time in the past after every reply: each connection wakes up a thousand times a
 * second for ever, and Node 24 prints a TimeoutNegativeWarning. Here its queue waits only while something is waiting.
 * The method is found by name in a client whose version is pinned; where it is missing, all stays as it was.
 */
export function mendTimer(): void {
  if (mended) return;
  mended = true;
  const require = createRequire(import.meta.url);
  const queue = (require("kafkajs/src/network/requestQueue") as { prototype?: Record<string, unknown> }).prototype;
  if (typeof queue?.scheduleCheckPendingRequests !== "function") return;
  queue.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
    const waitMs = Math.max(this.throttledUntil - Date.now(), recheckMs);
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    }, waitMs);
  };
}
