import { setTimeout as sleep } from "node:timers/promises";
import type { Feed } from "../ports/feed.ts";
import type { Log } from "../ports/log.ts";
import type { Pipelines } from "../projections/pipelines.ts";
import type { Expected } from "../projections/repair.ts";

export interface RowSweeperOptions {
  readonly feed: Feed;
  readonly log: Log;
  /** Whose rows to look at; null: none now. */
  readonly pipelines: () => Pick<Pipelines, "suspect" | "suspected" | "positions"> | null;
  /** How fast it goes through the log: so many events at each step. */
  readonly eventsPerStep: number;
  readonly stepMs?: number;
  /** Between the end of the log and its beginning. */
  readonly restMs?: number;
}

export interface RowSweeper {
  /** Begins again, and goes through the log once as fast as rows are looked at. */
  hurry(): void;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** In a hurry: events at each step, learners that may wait to be looked at, and the pause until they are fewer. */
const hurried = { eventsPerStep: 5_000, waitingMax: 2_000, pauseMs: 20 };

/**
 * Goes through the log slowly, over and over, and has the rows of the learners it meets looked at: one that was lost by
 * itself (deleted by hand, evicted, left out by a copy) is missed by nothing else until the learner's next event.
 */
export function startRowSweeper(options: RowSweeperOptions): RowSweeper {
  const { feed, log, pipelines, eventsPerStep, stepMs = 1000, restMs = 60_000 } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let position = 0;
  let hurrying = false;
  /** Grows each time it is told to begin again. */
  let beginnings = 0;
  let pausing = new AbortController();

  /** How long to pause then. */
  async function step(): Promise<number> {
    const swept = pipelines();
    if (swept === null) return stepMs;
    if (hurrying && swept.suspected() > hurried.waitingMax) return hurried.pauseMs;
    const begun = beginnings;
    const folded = Math.min(...swept.positions());
    const limit = hurrying ? hurried.eventsPerStep : eventsPerStep;
    const page = await feed.read(position, limit, { categories: ["learner"] });
    if (begun !== beginnings) return 0;
    const last = new Map<string, Expected>();
    for (const { stream, revision, position: at } of page.events) {
      if (at <= folded) last.set(stream, { stream, revision });
    }
    if (last.size > 0) swept.suspect([...last.values()]);
    const unfolded = page.position > folded;
    if (unfolded && hurrying) return stepMs;
    if (!unfolded && !page.atHead) {
      position = page.position;
      return hurrying ? 0 : stepMs;
    }
    position = 0;
    hurrying = false;
    return restMs;
  }

  async function run(): Promise<void> {
    let pauseMs = stepMs;
    while (!signal.aborted) {
      pausing = new AbortController();
      const either = AbortSignal.any([signal, pausing.signal]);
      await sleep(pauseMs, undefined, { signal: either, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        pauseMs = await step();
      } catch (err) {
        pauseMs = stepMs;
        log.warn({ err }, "could not look for lost rows; tries again");
      }
    }
  }

  const running = run();
  return {
    hurry() {
      beginnings += 1;
      position = 0;
      hurrying = true;
      pausing.abort();
    },
    stop() {
      stopping.abort();
      return running;
    },
  };
}
