import pTimeout from "p-timeout";
import type { Log } from "../ports/log.ts";

/** Something asked to be started after, or while, everything was being stopped. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

export interface StopReport {
  /** Names of what did not stop in its time, and of what threw while it stopped. */
  readonly failed: readonly string[];
}

export interface Lifecycle {
  readonly stopping: boolean;
  /**
   * Opens something and pushes its undo. When `stop` comes while it is being opened, it is undone at once and this
   * rejects with {@link Stopped}.
   */
  acquire<T>(name: string, open: () => Promise<T> | T, undo: (opened: T) => Promise<void> | void): Promise<T>;
  /** Undoes everything in reverse order, each once. May be called at any time, any number of times. Never rejects. */
  stop(): Promise<StopReport>;
}

interface Opened {
  readonly name: string;
  readonly undo: () => Promise<void> | void;
}

/** `stopTimeoutMs` bounds the whole stop: what has not stopped when its share is over is left behind and reported. */
export function createLifecycle(options: { readonly stopTimeoutMs: number; readonly log: Log }): Lifecycle {
  const { stopTimeoutMs, log } = options;
  const opened: Opened[] = [];
  const opening = new Set<Promise<unknown>>();
  const failed: string[] = [];
  let stopped: Promise<StopReport> | null = null;
  let deadline = Number.POSITIVE_INFINITY;

  async function undoOne({ name, undo }: Opened): Promise<void> {
    // Even when the time is used up each gets a moment: most undos need none, and what they hold should be let go.
    const limit = Math.max(100, deadline - performance.now());
    try {
      await within(limit, Promise.resolve().then(undo));
      log.debug({ part: name }, `stopped ${name}`);
    } catch (error) {
      failed.push(name);
      log.error({ part: name, err: error }, `could not stop ${name}`);
    }
  }

  async function acquire<T>(
    name: string,
    open: () => Promise<T> | T,
    undo: (o: T) => Promise<void> | void,
  ): Promise<T> {
    if (stopped !== null) throw new Stopped(`${name}: already stopping`);
    const work = (async () => {
      const value = await open();
      if (stopped === null) opened.push({ name, undo: () => undo(value) });
      else await undoOne({ name, undo: () => undo(value) });
      return value;
    })();
    opening.add(work);
    try {
      const value = await work;
      if (stopped !== null) throw new Stopped(`${name}: stopped while it was starting`);
      return value;
    } finally {
      opening.delete(work);
    }
  }

  async function stopAll(): Promise<StopReport> {
    deadline = performance.now() + stopTimeoutMs;
    await within(stopTimeoutMs, Promise.allSettled(opening)).catch(() => failed.push("what was still starting"));
    for (let next = opened.pop(); next !== undefined; next = opened.pop()) await undoOne(next);
    return { failed };
  }

  return {
    get stopping() {
      return stopped !== null;
    },
    acquire,
    stop() {
      stopped ??= stopAll();
      return stopped;
    },
  };
}

const within = <T>(limitMs: number, work: Promise<T>): Promise<T> =>
  pTimeout(work, { milliseconds: limitMs, message: `not done within ${Math.round(limitMs)} ms` });

export interface SignalSource {
  on(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
}

/**
 * A signal that aborts at the first Ctrl-C (or SIGTERM). The second one calls `atOnce`: whoever presses twice means it.
 * `release` takes the listeners away.
 */
export function stopOnSignals(source: SignalSource, atOnce: () => void): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const listener = (): void => {
    if (controller.signal.aborted) atOnce();
    else controller.abort();
  };
  source.on("SIGINT", listener);
  source.on("SIGTERM", listener);
  return {
    signal: controller.signal,
    release() {
      source.off("SIGINT", listener);
      source.off("SIGTERM", listener);
    },
  };
}
