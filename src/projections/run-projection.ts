import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Feed, FeedFilter, FeedPage } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";

export interface ProjectionOptions {
  readonly name: string;
  readonly feed: Feed;
  readonly filter?: FeedFilter;
  /** Most events handed to `handle` at once. */
  readonly batchSize: number;
  /** Position to read after. Called at the start and again after each error, when nothing in memory can be trusted. */
  load(signal: AbortSignal): Promise<number>;
  /** Folds a page and stores the effect; resolves with the position to go on from (the page's, or an earlier one). */
  handle(page: FeedPage, signal: AbortSignal): Promise<number>;
  /** Work of the owner between two batches: ticks, requests of operators. It never overlaps `handle`. */
  between?(signal: AbortSignal): Promise<void>;
  onError?(error: unknown, attempt: number): void;
  readonly log: Log;
  /** At head: how long to wait for the feed's word before looking again, milliseconds. */
  readonly idleWaitMs?: number;
  /** First and longest pause after an error, milliseconds; it doubles in between. */
  readonly retryMs?: number;
  readonly retryMsMax?: number;
  /** 0..1, spreads the pauses of many workers. */
  readonly random?: () => number;
  /** Milliseconds, of a clock that never goes back. */
  readonly now?: () => number;
}

export type ProjectionState = "starting" | "catching_up" | "at_head" | "retrying" | "stopped";

export interface ProjectionStatus {
  readonly name: string;
  readonly state: ProjectionState;
  readonly position: number;
  readonly eventsIn: number;
  readonly batches: number;
  readonly lastBatchEvents: number;
  readonly lastBatchMs: number;
  readonly errors: number;
  /** Errors in a row, 0 while all is well. */
  readonly attempt: number;
  readonly lastError: string | null;
}

export interface RunningProjection {
  readonly status: ProjectionStatus;
  position(): number;
  /** Resolves once everything that stood in the log at the call has been handled; rejects when stopped before that. */
  caughtUp(): Promise<void>;
  /** Ends an idle wait, so that `between` runs now. */
  nudge(): void;
  /** Waits for the batch in hand. Idempotent. */
  stop(): Promise<void>;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * The one loop of all projections: read a bounded batch, handle it, advance; wait at head; after an error pause, load
 * again and go on. It knows nothing of the work. Each step is awaited, and other work gets a turn after each batch.
 */
export function runProjection(options: ProjectionOptions): RunningProjection {
  const { name, feed, log, random = Math.random, now = () => performance.now() } = options;
  const stopping = new AbortController();
  const status = {
    name,
    state: "starting" as ProjectionState,
    position: 0,
    eventsIn: 0,
    batches: 0,
    lastBatchEvents: 0,
    lastBatchMs: 0,
    errors: 0,
    attempt: 0,
    lastError: null as string | null,
  };
  let waiters: Waiter[] = [];
  let waiting: AbortController | null = null;
  let nudged = false;
  let loaded = false;

  async function step(): Promise<void> {
    if (!loaded) {
      status.position = await options.load(stopping.signal);
      loaded = true;
    }
    nudged = false;
    await options.between?.(stopping.signal);
    // Only who asked before this read may be told that its end was the head.
    const asked = waiters.length;
    const page = await feed.read(status.position, options.batchSize, options.filter);
    if (stopping.signal.aborted) return;
    if (page.events.length > 0 || page.position > status.position) await handle(page);
    status.attempt = 0;
    const atHead = page.atHead && status.position >= page.position;
    status.state = atHead ? "at_head" : "catching_up";
    if (!atHead) return void (await nextTurn());
    for (const waiter of waiters.splice(0, asked)) waiter.resolve();
    await idle();
  }

  async function handle(page: FeedPage): Promise<void> {
    const start = now();
    status.position = await options.handle(page, stopping.signal);
    status.eventsIn += page.events.length;
    status.batches += 1;
    status.lastBatchEvents = page.events.length;
    status.lastBatchMs = now() - start;
  }

  async function idle(): Promise<void> {
    if (nudged || waiters.length > 0 || stopping.signal.aborted) return;
    waiting = new AbortController();
    await feed.waitForMore(status.position, options.idleWaitMs ?? 1000, waiting.signal);
    waiting = null;
  }

  async function failed(error: unknown): Promise<void> {
    loaded = false;
    status.state = "retrying";
    status.errors += 1;
    status.attempt += 1;
    status.lastError = error instanceof Error ? error.message : String(error);
    options.onError?.(error, status.attempt);
    const pause = Math.min(options.retryMsMax ?? 10_000, (options.retryMs ?? 100) * 2 ** (status.attempt - 1));
    const pauseMs = pause * (0.5 + 0.5 * random());
    log.warn({ projection: name, err: error, attempt: status.attempt, pauseMs }, "projection failed, will retry");
    await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await step();
      } catch (error) {
        if (!stopping.signal.aborted) await failed(error);
      }
    }
    status.state = "stopped";
    for (const waiter of waiters) waiter.reject(stopped(name));
    waiters = [];
  }

  const running = run();
  const nudge = (): void => {
    nudged = true;
    waiting?.abort();
  };
  return {
    status,
    position: () => status.position,
    caughtUp() {
      if (stopping.signal.aborted) return Promise.reject(stopped(name));
      return new Promise((resolve, reject) => {
        waiters.push({ resolve, reject });
        nudge();
      });
    },
    nudge,
    stop() {
      stopping.abort();
      nudge();
      return running;
    },
  };
}

const stopped = (name: string): Error => new Error(`projection ${name} was stopped`);
