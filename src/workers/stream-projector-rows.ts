import { setTimeout as sleep } from "node:timers/promises";
import type { Loss } from "../ports/read-models.ts";
import {
  fits,
  newView,
  putViewBack,
  readView,
  type StoredView,
  switchView,
  unusedGeneration,
} from "../projections/live-view.ts";
import type { PipelineDeps } from "../projections/pipeline.ts";
import type { PipelineSettings } from "../projections/pipelines.ts";
import { replaceRows } from "../projections/rebuild.ts";
import type { LiveView } from "../projections/rows.ts";
import { createLiveViewWatcher, type LiveViewWatcher } from "./live-view-watcher.ts";

export interface StreamRowsOptions {
  readonly deps: PipelineDeps;
  readonly partitions: number;
  readonly settings: Omit<PipelineSettings, "owned">;
  readonly viewPollMs: number | undefined;
  /** From now on these are the rows to write; null: none, while the live ones are of another configuration. */
  onRows(view: LiveView | null): Promise<void>;
  onLoss(lost: Loss): Promise<void>;
  /** Of the processes that share the stream, one makes new rows where the live ones are of another configuration. */
  mayReplace(): boolean;
}

export interface StreamRows {
  /** Resolves when it is known which rows to write. */
  start(): Promise<void>;
  /** What {@link StreamRowsOptions.mayReplace} says may have changed. */
  reconsider(): void;
  /** Idempotent. */
  stop(): Promise<void>;
}

const replacePauseMs = 10_000;

/** Which rows a stream's projectors write: those that are live, whoever made them so. */
export function followStreamRows(options: StreamRowsOptions): StreamRows {
  const { deps, partitions, settings } = options;
  const { readModels, model, log } = deps;
  const ending = new AbortController();
  /** As it was when it was live last. */
  let known: StoredView | null = null;
  let misfit: LiveView | null = null;
  let replacing: Promise<void> | null = null;
  let watcher: LiveViewWatcher | null = null;

  async function follow(stored: StoredView): Promise<void> {
    const { view } = stored;
    if (view === null) return makeView(stored);
    known = stored;
    misfit = fits(view, model, partitions) ? null : view;
    await options.onRows(misfit === null ? view : null);
    if (misfit !== null) log.warn({ live: misfit.namespace }, "the live rows are of another configuration");
    reconsider();
  }

  /** There was none yet, or it was lost. Another process may be first. */
  async function makeView(stored: StoredView): Promise<void> {
    if (known !== null) await putViewBack(readModels, known);
    else await switchView(readModels, newView(await unusedGeneration(readModels), model, partitions), stored.version);
    return follow(await readView(readModels));
  }

  function reconsider(): void {
    if (misfit === null || replacing !== null || ending.signal.aborted || !options.mayReplace()) return;
    replacing = replace().finally(() => {
      replacing = null;
    });
  }

  async function replace(): Promise<void> {
    while (misfit !== null && options.mayReplace() && !ending.signal.aborted) {
      log.info({ live: misfit.namespace }, "building new rows: the live ones are of another configuration");
      try {
        const { namespace } = await replaceRows(deps, { partitions, settings, signal: ending.signal });
        log.info({ namespace }, "new rows are complete");
        await watcher?.look();
      } catch (err) {
        if (ending.signal.aborted) return;
        log.error({ err }, "could not make new rows of this configuration, will try again");
        const pauseMs = settings.retryMsMax ?? replacePauseMs;
        await sleep(pauseMs, undefined, { signal: ending.signal }).catch(() => undefined);
      }
    }
  }

  return {
    async start() {
      const { viewPollMs, onLoss } = options;
      watcher ??= createLiveViewWatcher({
        ...{ readModels, log, onLoss, onView: follow },
        ...(viewPollMs === undefined ? {} : { pollMs: viewPollMs }),
      });
      await watcher.look();
    },
    reconsider,
    async stop() {
      ending.abort(new Error("the projector was stopped"));
      await watcher?.stop();
      await replacing;
    },
  };
}
