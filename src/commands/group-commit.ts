import type { AppendRequest, AppendResult, EventStore } from "../ports/event-store.ts";

export interface GroupCommitOptions {
  /** Requests in one commit, at most (a single caller with more goes in one commit by itself). */
  readonly maxBatch?: number;
  /** Requests that wait, at most; beyond it callers are refused with {@link LogBusy}. */
  readonly maxQueued?: number;
  /**
   * How long a commit waits for company, in milliseconds. 0: it starts at the end of this turn of the event loop.
   * While a commit runs, the next one gathers anyway.
   */
  readonly delayMs?: number;
  /** Told of each commit: requests in it, callers merged, milliseconds it took. */
  readonly onCommit?: (commit: { requests: number; callers: number; durationMs: number; failed: boolean }) => void;
}

/** The queue before the log is full. Nothing of the caller's was stored. */
export class LogBusy extends Error {
  override readonly name = "LogBusy";
}

export interface GroupCommit extends Pick<EventStore, "append"> {
  /** Requests waiting or being committed. */
  pending(): number;
  /** Resolves when everything taken in has been answered. New callers are refused from now on. */
  close(): Promise<void>;
}

interface Caller {
  readonly requests: readonly AppendRequest[];
  readonly resolve: (results: AppendResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Merges concurrent appends into one durable commit. ONE commit runs at a time: what arrives meanwhile makes up the
 * next, so batches grow with the load by themselves and order of arrival is kept. Each caller gets the results of its
 * own requests; a commit that fails fails its callers, and only them.
 */
export function createGroupCommit(
  eventStore: Pick<EventStore, "append">,
  { maxBatch = 2_000, maxQueued = 50_000, delayMs = 0, onCommit }: GroupCommitOptions = {},
): GroupCommit {
  let queue: Caller[] = [];
  let queued = 0;
  let committing = 0;
  let scheduled = false;
  let delay: NodeJS.Timeout | null = null;
  let closed = false;
  let idle: (() => void)[] = [];

  function schedule(): void {
    if (committing > 0 || queue.length === 0) return;
    const now = delayMs === 0 || queued >= maxBatch || closed;
    if (now && delay !== null) {
      clearTimeout(delay);
      delay = null;
      scheduled = false;
    }
    if (scheduled) return;
    scheduled = true;
    if (now) setImmediate(start);
    else delay = setTimeout(start, delayMs);
  }

  function start(): void {
    scheduled = false;
    delay = null;
    void commit(take());
  }

  function take(): Caller[] {
    let size = 0;
    let count = 0;
    for (const { requests } of queue) {
      if (count > 0 && size + requests.length > maxBatch) break;
      size += requests.length;
      count += 1;
    }
    const taken = queue.slice(0, count);
    queue = queue.slice(count);
    queued -= size;
    committing = size;
    return taken;
  }

  async function commit(callers: readonly Caller[]): Promise<void> {
    const requests = callers.length === 1 ? (callers[0]?.requests ?? []) : callers.flatMap((caller) => caller.requests);
    const startedAt = performance.now();
    let failed = false;
    try {
      const results = await eventStore.append(requests);
      if (results.length !== requests.length) throw new Error("the log did not answer every request of a commit");
      let at = 0;
      for (const caller of callers) {
        caller.resolve(results.slice(at, at + caller.requests.length));
        at += caller.requests.length;
      }
    } catch (error) {
      failed = true;
      for (const caller of callers) caller.reject(error);
    }
    committing = 0;
    onCommit?.({
      requests: requests.length,
      callers: callers.length,
      durationMs: performance.now() - startedAt,
      failed,
    });
    if (queue.length > 0) schedule();
    else for (const resolve of idle.splice(0)) resolve();
  }

  return {
    append(requests) {
      if (requests.length === 0) return Promise.resolve([]);
      if (closed) return Promise.reject(new LogBusy("shutting down"));
      if (queued > 0 && queued + requests.length > maxQueued) {
        return Promise.reject(new LogBusy(`${queued} interactions wait for the log already`));
      }
      return new Promise((resolve, reject) => {
        queue.push({ requests, resolve, reject });
        queued += requests.length;
        schedule();
      });
    },
    pending: () => queued + committing,
    close() {
      closed = true;
      schedule();
      if (queued + committing === 0) return Promise.resolve();
      return new Promise((resolve) => {
        idle = [...idle, resolve];
      });
    },
  };
}
