import { setTimeout as sleep } from "node:timers/promises";
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
import { type PartitionStatus, type Pipelines, startPipelines } from "../projections/pipelines.ts";
import {
  CannotRebuild,
  type Fill,
  type RebuildOptions,
  type RebuildProgress,
  type Rebuilt,
  rebuildRows,
  replaceRows,
  rollBack,
} from "../projections/rebuild.ts";
import type { LiveView } from "../projections/rows.ts";
import { createLiveViewWatcher, type LiveViewWatcher } from "./live-view-watcher.ts";
import { createProjectorOperations, type ProjectorOperations } from "./projector-operations.ts";
import { type RowSweeper, startRowSweeper } from "./row-sweeper.ts";
import {
  type ProjectorSettings,
  type RunningProjector,
  startAndStop,
  sweptPerSecondDefault,
} from "./running-projector.ts";

export interface ProjectorOptions extends ProjectorSettings {
  /** How many partitions count side by side; another number means new rows. Default 1. */
  readonly partitions?: number;
  /** How a rebuild fills rows; in this thread when left out. */
  readonly fill?: Fill;
  /** Between two searches for rows that were lost, milliseconds. */
  readonly sweepRestMs?: number;
}

/** Folds the log into the read models of learners and items. */
export interface Projector extends RunningProjector {
  /** Builds all rows anew beside the live ones, compares, and switches. One at a time: rejects while one runs. */
  rebuild(onProgress?: (progress: RebuildProgress) => void): Promise<Rebuilt>;
  /** Goes back to the rows before the last switch, brought up to date. One at a time, as above. */
  rollBack(onProgress?: (progress: RebuildProgress) => void): Promise<Rebuilt>;
  /** The same for operators: by name, in the background, with reports. */
  readonly operations: ProjectorOperations;
}

const replacePauseMsMax = 600_000;

/**
 * Writes the rows that are live, whoever made them so: it goes over to others when a rebuild, here or in another
 * process, has switched. Where the row that says which are live was lost, it is put back; where the live rows are of
 * another configuration, they serve until this process has made new ones.
 */
export function createProjector(deps: PipelineDeps, options: ProjectorOptions = {}): Projector {
  const { readModels, model, log, feed } = deps;
  const { partitions = 1, sweptPerSecond = sweptPerSecondDefault } = options;
  let current: Pipelines | null = null;
  /** As it was when it was live last. */
  let known: StoredView | null = null;
  let rebuilding: Promise<unknown> | null = null;
  let replacing: Promise<void> | null = null;
  const ending = new AbortController();
  let watcher: LiveViewWatcher | null = null;
  let sweeper: RowSweeper | null = null;

  async function follow(stored: StoredView): Promise<void> {
    const { view } = stored;
    if (view === null) return makeView(stored);
    known = stored;
    if (!fits(view, model, partitions)) return replace(view);
    if (current?.view.namespace === view.namespace) return;
    const before = current;
    // Both may write for a moment: each to its own rows.
    current = startPipelines(deps, view, options);
    log.info({ namespace: view.namespace, before: before?.view.namespace }, "projecting into these rows");
    await before?.stop();
  }

  /** There was none yet, or it was lost. */
  async function makeView(stored: StoredView): Promise<void> {
    if (known !== null) {
      log.warn({ namespace: known.view?.namespace }, "it is not said any more which rows are live: put back");
      await putViewBack(readModels, known);
    } else {
      const view = newView(await unusedGeneration(readModels), model, partitions);
      await switchView(readModels, view, stored.version);
    }
    // Another process may have been first.
    return follow(await readView(readModels));
  }

  /** The live rows are of another configuration: they serve until there are new ones. */
  async function replace(live: LiveView): Promise<void> {
    const before = current;
    current = null;
    await before?.stop();
    if (options.owned !== undefined) {
      log.error(
        { live, partitions, model: model.name },
        "the live rows are of another configuration: nothing is projected",
      );
      return;
    }
    replacing ??= replaceOften(live).finally(() => {
      replacing = null;
    });
  }

  async function replaceOften(live: LiveView): Promise<void> {
    log.info({ live: live.namespace }, "building new rows: the live ones are of another configuration");
    for (let pauseMs = options.retryMsMax ?? 10_000; !ending.signal.aborted; pauseMs *= 2) {
      try {
        const { view } = await readView(readModels);
        if (view !== null && fits(view, model, partitions)) return;
        const { namespace } = await replaceRows(deps, rebuildOptions());
        return log.info({ namespace }, "new rows are complete");
      } catch (err) {
        if (ending.signal.aborted) return;
        log.error({ err }, "could not make new rows of this configuration, will try again");
        // Of several processes that all begin, the one that began last goes on: the others leave it more and more time.
        const pause = Math.min(pauseMs, replacePauseMsMax) * (0.5 + Math.random());
        await sleep(pause, undefined, { signal: ending.signal, ref: false }).catch(() => undefined);
      }
    }
  }

  const rebuildOptions = (onProgress?: (progress: RebuildProgress) => void): RebuildOptions => ({
    ...{ partitions, settings: options, signal: ending.signal },
    ...(options.fill === undefined ? {} : { fill: options.fill }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });

  async function begin(): Promise<void> {
    const { viewPollMs } = options;
    watcher ??= createLiveViewWatcher({
      ...{ readModels, log, onView: follow },
      async onLoss(rows) {
        log.warn({ namespace: current?.view.namespace }, "rows may have been lost: looking at what was written lately");
        current?.suspectRecent();
        // One of several masters may have come back empty: of its rows all are missing, not only the newest.
        if (rows === "any") sweeper?.hurry();
      },
      ...(viewPollMs === undefined ? {} : { pollMs: viewPollMs }),
    });
    await watcher.look();
    if (sweptPerSecond > 0) {
      const rest = options.sweepRestMs === undefined ? {} : { restMs: options.sweepRestMs };
      sweeper ??= startRowSweeper({ feed, log, pipelines: () => current, eventsPerStep: sweptPerSecond, ...rest });
    }
  }

  function running(): Pipelines {
    if (current === null || life.stopping()) throw new Error("the projector is not running");
    return current;
  }

  /** Afterwards this projector, like any other, has gone over to the rows. */
  async function exclusively(work: () => Promise<Rebuilt>): Promise<Rebuilt> {
    running();
    if (rebuilding !== null) throw new CannotRebuild("a rebuild is running already");
    const done = work();
    rebuilding = done;
    try {
      const rebuilt = await done;
      await watcher?.look();
      return rebuilt;
    } finally {
      rebuilding = null;
    }
  }

  async function end(started: Promise<void>): Promise<void> {
    ending.abort(new Error("the projector was stopped"));
    await started;
    await watcher?.stop();
    await sweeper?.stop();
    await rebuilding?.catch(() => undefined);
    await replacing;
    await current?.stop();
  }

  const life = startAndStop(begin, end);
  const projector: Omit<Projector, "operations"> = {
    start: life.start,
    stop: life.stop,
    position: () => (current === null ? null : Math.min(...current.positions())),
    status: () => current?.statuses() ?? (!life.started() ? [] : notYet(options.owned ?? partitions)),
    view: () => current?.view ?? null,
    async caughtUp() {
      while (replacing !== null) {
        await replacing;
        await watcher?.look();
      }
      await running().caughtUp();
    },
    parked: () => current?.parked() ?? [],
    retry: async (learnerId) => running().retry(learnerId),
    async rebuild(onProgress) {
      if (replacing !== null) await projector.caughtUp();
      return exclusively(() => rebuildRows(deps, rebuildOptions(onProgress)));
    },
    rollBack: (onProgress) => exclusively(() => rollBack(deps, rebuildOptions(onProgress))),
  };
  return { ...projector, operations: createProjectorOperations(projector, deps) };
}

/** Of partitions that have no rows to be written to: behind by the whole log. */
function notYet(partitions: number | readonly number[]): PartitionStatus[] {
  const owned = typeof partitions === "number" ? Array.from({ length: partitions }, (_, at) => at) : partitions;
  return owned.map((partition) => ({
    ...{ name: "learners", state: "starting", position: 0, eventsIn: 0, batches: 0, lastBatchEvents: 0 },
    ...{ lastBatchMs: 0, errors: 0, attempt: 0, lastError: null, partition, parked: 0 },
  }));
}
