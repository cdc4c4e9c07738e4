import type { AppendRequest, AppendResult, EventStore } from "../ports/event-store.ts";

export interface GroupCommitOptions {
  /** Requests in one commit, at most (a single caller with more goes in one commit by itself). */
  readonly maxBatch?: number;
  /** Commits under way at once, at most. They never share a stream. */
  readonly maxInFlight?: number;
  /**
   * Requests that must wait for a commit to be started beside another: so many, and as many as are under way. Fewer gather until
   * that one is done: the log does commits one after the other, and a small one costs nearly as much as a large one.
   */
  readonly besideFrom?: number;
  /** Requests that wait, at most; beyond it callers are refused with {@link LogBusy}. */
  readonly maxQueued?: number;
  /** While somebody has waited for longer before his commit began, newcomers are refused with {@link LogBusy}. Milliseconds. */
  readonly maxWaitMs?: number;
  /**
   * How long a commit waits for company, in milliseconds. 0: it starts at the end of this turn of the event loop.
   * While a commit runs, the next one gathers anyway.
   */
  readonly delayMs?: number;
  /** Told of each commit: requests in it, callers merged, milliseconds it took. */
  readonly onCommit?: (commit: { requests: number; callers: number; durationMs: number; failed: boolean }) => void;
  /** Told of each refusal: requests of the caller who was refused. */
  readonly onRefused?: (requests: number) => void;
}

/** Too much waits for the log, or for too long. Nothing of the caller's was stored. */
export class LogBusy extends Error {
  override readonly name = "LogBusy";
}

export interface GroupCommit extends Pick<EventStore, "append"> {
  /** Requests waiting or being committed. */
  pending(): number;
  /** How long the first of those who wait has waited, milliseconds; 0 where nobody does. */
  waitedMs(): number;
  /** Resolves when everything taken in has been answered. New callers are refused from now on. */
  close(): Promise<void>;
}

interface Caller {
  /** Which it is of all there ever were. */
  readonly arrival: number;
  /** As performance.now() tells it. */
  readonly arrivedAt: number;
  readonly requests: readonly AppendRequest[];
  readonly resolve: (results: AppendResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Merges concurrent appends into durable commits: what arrives while commits run makes up the next, so batches grow with
 * the load by themselves. A second commit may run beside the first, so that this process and the log need not take
 * turns; it has no stream in common with it, and whoever waits for a stream keeps waiting in order of arrival. So each
 * stream gets its events in the order in which they came. Each caller gets the results of its own requests; a commit
 * that fails fails its callers, and only them.
 */
export function createGroupCommit(
  eventStore: Pick<EventStore, "append">,
  {
    maxBatch = 500,
    maxInFlight = 2,
    besideFrom = 32,
    maxQueued = 50_000,
    maxWaitMs = 1_000,
    delayMs = 0,
    onCommit,
    onRefused,
  }: GroupCommitOptions = {},
): GroupCommit {
  const queue = createStreamQueue();
  let committing = 0;
  let inFlight = 0;
  let scheduled = false;
  let delay: NodeJS.Timeout | null = null;
  let closed = false;
  let idle: (() => void)[] = [];

  const enoughBeside = (): number => Math.min(maxBatch, Math.max(besideFrom, committing));

  function schedule(): void {
    const ready = queue.ready();
    if (ready === 0 || inFlight >= maxInFlight || (inFlight > 0 && ready < enoughBeside())) return;
    const now = delayMs === 0 || ready >= maxBatch || closed;
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
    void commit(queue.take(maxBatch));
    schedule();
  }

  async function commit(callers: readonly Caller[]): Promise<void> {
    const requests = callers.length === 1 ? (callers[0]?.requests ?? []) : callers.flatMap((caller) => caller.requests);
    committing += requests.length;
    inFlight += 1;
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
    committing -= requests.length;
    inFlight -= 1;
    queue.done(callers);
    onCommit?.({
      requests: requests.length,
      callers: callers.length,
      durationMs: performance.now() - startedAt,
      failed,
    });
    if (queue.size() > 0) schedule();
    else if (inFlight === 0) for (const resolve of idle.splice(0)) resolve();
  }

  const waitedMs = (): number => (queue.size() === 0 ? 0 : performance.now() - queue.oldest());

  /** null: nothing speaks against taking in so many. */
  function whyBusy(requests: number): string | null {
    const queued = queue.size();
    if (queued === 0) return null;
    if (queued + requests > maxQueued) return `${queued} interactions wait for the log already`;
    return waitedMs() > delayMs + maxWaitMs ? `the log is behind by more than ${maxWaitMs} ms` : null;
  }

  return {
    append(requests) {
      if (requests.length === 0) return Promise.resolve([]);
      if (closed) return Promise.reject(new LogBusy("shutting down"));
      const why = whyBusy(requests.length);
      if (why !== null) {
        onRefused?.(requests.length);
        return Promise.reject(new LogBusy(why));
      }
      return new Promise((resolve, reject) => {
        queue.add(requests, resolve, reject);
        schedule();
      });
    },
    pending: () => queue.size() + committing,
    waitedMs,
    close() {
      closed = true;
      schedule();
      if (queue.size() + inFlight === 0) return Promise.resolve();
      return new Promise((resolve) => {
        idle = [...idle, resolve];
      });
    },
  };
}

/**
 * Callers in order of arrival, as far as they share streams: one that has a stream in common with a commit under way, or
 * with somebody before it who waits for one, is held back until that is done.
 */
function createStreamQueue() {
  let arrivals = 0;
  // Both in order of arrival.
  let ready: Caller[] = [];
  let held: Caller[] = [];
  let readyRequests = 0;
  let heldRequests = 0;
  let underWay: { readonly callers: readonly Caller[]; readonly streams: ReadonlySet<string> }[] = [];
  /** Streams of those held back. */
  let awaited = new Set<string>();

  function isBusy(stream: string): boolean {
    for (const { streams } of underWay) if (streams.has(stream)) return true;
    return false;
  }

  /** Behind all that were placed before it. */
  function place(caller: Caller): void {
    const { requests } = caller;
    if (underWay.length > 0 && requests.some(({ stream }) => isBusy(stream) || awaited.has(stream))) {
      held.push(caller);
      heldRequests += requests.length;
      for (const { stream } of requests) awaited.add(stream);
    } else {
      ready.push(caller);
      readyRequests += requests.length;
    }
  }

  /** Places those anew that could have been committed: whom those just taken are in the way of. Who is held stays so. */
  function holdWhoMustWait(callers: readonly Caller[]): void {
    const [heldBefore, awaitedBefore] = [held, awaited];
    ready = [];
    readyRequests = 0;
    held = [];
    awaited = new Set();
    for (const caller of callers) place(caller);
    held = inOrderOfArrival(heldBefore, held);
    for (const stream of awaited) awaitedBefore.add(stream);
    awaited = awaitedBefore;
  }

  /** Places those anew who are held: for whom the way is free now. Who is ready stays so. */
  function freeWhoMay(): void {
    const [readyBefore, waiting] = [ready, held];
    ready = [];
    held = [];
    heldRequests = 0;
    awaited = new Set();
    for (const caller of waiting) place(caller);
    ready = inOrderOfArrival(readyBefore, ready);
  }

  return {
    add(requests: Caller["requests"], resolve: Caller["resolve"], reject: Caller["reject"]): void {
      arrivals += 1;
      place({ arrival: arrivals, arrivedAt: performance.now(), requests, resolve, reject });
    },
    /** Requests that could be committed now. */
    ready: () => readyRequests,
    /** When the first of those who wait came; infinite where nobody waits. */
    oldest: () =>
      Math.min(ready[0]?.arrivedAt ?? Number.POSITIVE_INFINITY, held[0]?.arrivedAt ?? Number.POSITIVE_INFINITY),
    /** All requests that wait. */
    size: () => readyRequests + heldRequests,
    /** The next callers, with `max` requests at the most or one caller; their streams are busy until they are done. */
    take(max: number): Caller[] {
      let size = 0;
      let count = 0;
      for (const { requests } of ready) {
        if (count > 0 && size + requests.length > max) break;
        size += requests.length;
        count += 1;
      }
      const taken = ready.slice(0, count);
      const streams = new Set<string>();
      for (const { requests } of taken) for (const { stream } of requests) streams.add(stream);
      underWay.push({ callers: taken, streams });
      holdWhoMustWait(ready.slice(count));
      return taken;
    },
    done(callers: readonly Caller[]): void {
      underWay = underWay.filter((commit) => commit.callers !== callers);
      if (held.length > 0) freeWhoMay();
    },
  };
}

function inOrderOfArrival(some: Caller[], others: Caller[]): Caller[] {
  if (some.length === 0) return others;
  if (others.length === 0) return some;
  return [...some, ...others].sort((a, b) => a.arrival - b.arrival);
}
