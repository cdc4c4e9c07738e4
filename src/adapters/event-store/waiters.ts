/** Those who wait for the log to grow. */
export interface Waiters {
  /** Resolves on the first {@link Waiters.reached} beyond `after`, after `timeoutMs`, on abort and on close. Never rejects. */
  wait(after: number, timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** The log is known to reach to `position`; lower positions than told before are ignored. */
  reached(position: number): void;
  /** The log may have grown: all look for themselves. */
  wakeAll(): void;
  /** How many wait now. */
  count(): number;
  /** Wakes all, now and from now on. */
  close(): void;
}

/** `onFirst` is called when somebody begins to wait where nobody did, `onLast` when nobody is left. */
export function createWaiters(hooks: { onFirst?(): void; onLast?(): void } = {}): Waiters {
  const waiting = new Set<{ after: number; done: () => void }>();
  let head = 0;
  let closed = false;

  function wake(matches: (after: number) => boolean): void {
    for (const waiter of [...waiting]) if (matches(waiter.after)) waiter.done();
  }

  return {
    wait(after, timeoutMs, signal) {
      if (closed || head > after || signal.aborted || timeoutMs <= 0) return Promise.resolve();
      return new Promise((resolve) => {
        const done = () => {
          if (!waiting.delete(waiter)) return;
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          if (waiting.size === 0) hooks.onLast?.();
          resolve();
        };
        const waiter = { after, done };
        // A longer delay than setTimeout can hold would fire at once.
        const timer = setTimeout(done, Math.min(timeoutMs, 2 ** 31 - 1));
        signal.addEventListener("abort", done);
        waiting.add(waiter);
        if (waiting.size === 1) hooks.onFirst?.();
      });
    },
    reached(position) {
      if (position <= head) return;
      head = position;
      wake((after) => position > after);
    },
    wakeAll: () => wake(() => true),
    count: () => waiting.size,
    close() {
      closed = true;
      wake(() => true);
    },
  };
}
