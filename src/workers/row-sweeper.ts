import { setTimeout as sleep } from "node:timers/promises";
import { categoryOf } from "../domain/streams.ts";
import type { Feed } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";
import type { Pipelines } from "../projections/pipelines.ts";
import type { Expected } from "../projections/repair.ts";

export interface RowSweeperOptions {
  readonly feed: Feed;
  readonly log: Log;
  /** Whose rows to look at; null: none now. */
  readonly pipelines: () => Pick<Pipelines, "suspect" | "positions"> | null;
  /** How fast it goes through the log: so many events at each step. */
  readonly eventsPerStep: number;
  readonly stepMs?: number;
  /** Between the end of the log and its beginning. */
  readonly restMs?: number;
}

/**
 * Goes through the log slowly, over and over, and has the rows of the learners it meets looked at: one that was lost by
 * itself (deleted by hand, evicted, left out by a copy) is missed by nothing else until the learner's next event.
 */
export function startRowSweeper({
  feed,
  log,
  pipelines,
  eventsPerStep,
  stepMs = 1000,
  restMs = 60_000,
}: RowSweeperOptions): {
  /** Idempotent. */
  stop(): Promise<void>;
} {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function step(position: number): Promise<number> {
    const swept = pipelines();
    if (swept === null) return position;
    const folded = Math.min(...swept.positions());
    const page = await feed.read(position, eventsPerStep);
    const last = new Map<string, Expected>();
    for (const { stream, revision, position: at } of page.events) {
      if (at <= folded && categoryOf(stream) === "learner") last.set(stream, { stream, revision });
    }
    if (last.size > 0) swept.suspect([...last.values()]);
    return page.atHead || page.position > folded ? 0 : page.position;
  }

  async function run(): Promise<void> {
    let position = 0;
    let pauseMs = stepMs;
    while (!signal.aborted) {
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        position = await step(position);
        pauseMs = position === 0 ? restMs : stepMs;
      } catch (err) {
        log.warn({ err }, "could not look for lost rows; tries again");
      }
    }
  }

  const running = run();
  return {
    stop() {
      stopping.abort();
      return running;
    },
  };
}
