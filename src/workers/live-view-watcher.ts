import type { Log } from "../ports/log.ts";
import type { Loss, ReadModels } from "../ports/read-models.ts";
import { readView, type StoredView } from "../projections/live-view.ts";
import { oneAtATime } from "../projections/one-at-a-time.ts";
import { liveKey } from "../projections/rows.ts";

export interface LiveViewWatcherOptions {
  readonly readModels: ReadModels;
  readonly log: Log;
  /**
   * The first view found, and each other one after that; `view` is null where there is none (any more). Nothing else is
   * told until it has resolved; where it rejects, it is told again at the next look.
   */
  onView(stored: StoredView): Promise<void>;
  /** Some of the rows, or all, may be gone; the view was looked at since. Default: nothing. */
  onLoss?(rows: Loss): Promise<void>;
  /** For the case that the word of a change is lost. */
  readonly pollMs?: number;
}

export interface LiveViewWatcher {
  /** Resolves when what stands there now has been told. Rejects where it could not be. */
  look(): Promise<void>;
  /** Waits for what is being told. Idempotent. */
  stop(): Promise<void>;
}

/** Tells which rows queries read: at once when a rebuild has switched, else within a second. */
export function createLiveViewWatcher(options: LiveViewWatcherOptions): LiveViewWatcher {
  const { readModels, log, onView, onLoss, pollMs = 1000 } = options;
  let known: string | null | undefined;
  let stopped = false;
  let lost: Loss | null = null;

  const look = oneAtATime(async () => {
    if (stopped) return;
    const stored = await readView(readModels);
    const namespace = stored.view?.namespace ?? null;
    if (namespace !== known) {
      await onView(stored);
      known = namespace;
    }
    if (lost === null || stopped) return;
    const rows = lost;
    lost = null;
    try {
      await onLoss?.(rows);
    } catch (error) {
      lost ??= rows;
      throw error;
    }
  });

  function lookSoon(): void {
    look().catch((err: unknown) => log.warn({ err }, "cannot tell which rows are live"));
  }

  const timer = setInterval(lookSoon, pollMs);
  timer.unref();
  const endings = [
    readModels.onChange((keys) => {
      if (keys === null || keys.includes(liveKey)) lookSoon();
    }),
    readModels.onLoss((rows) => {
      if (lost !== "any") lost = rows;
      // What was told last may have been lost with the rows.
      lookSoon();
    }),
  ];
  return {
    look,
    stop() {
      stopped = true;
      clearInterval(timer);
      for (const end of endings.splice(0)) end();
      return look().catch(() => undefined);
    },
  };
}
