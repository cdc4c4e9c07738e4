import { fits, newView, readView, removeGenerations, switchView } from "../projections/live-view.ts";
import type { RetryResult } from "../projections/parking.ts";
import type { PipelineDeps } from "../projections/pipeline.ts";
import {
  type PartitionStatus,
  type PipelineSettings,
  type Pipelines,
  startPipelines,
} from "../projections/pipelines.ts";
import { type RebuildProgress, type Rebuilt, rebuild } from "../projections/rebuild.ts";
import { generationOf, type LiveView } from "../projections/rows.ts";
import { createProjectorOperations, type ProjectorOperations } from "./projector-operations.ts";

export interface ProjectorOptions extends PipelineSettings {
  /** How many partitions count side by side; another number means new rows. Default 1. */
  readonly partitions?: number;
}

/** Folds the log into the read models of learners and items. */
export interface Projector {
  /** Resolves once it runs (not: once it has caught up). Rejects where the read models cannot be reached. Idempotent. */
  start(): Promise<void>;
  /** Finishes the batches in hand. Idempotent. */
  stop(): Promise<void>;
  /** Everything up to here is folded in and written; null before it runs. The slowest partition's. */
  position(): number | null;
  status(): readonly PartitionStatus[];
  /** The rows it writes; null before it runs. */
  view(): LiveView | null;
  /** Resolves once everything that stands in the log now is folded in and written. */
  caughtUp(): Promise<void>;
  parked(): ReturnType<Pipelines["parked"]>;
  retry(learnerId: string): Promise<RetryResult>;
  /** Builds all rows anew beside the live ones, compares, and switches. One at a time: rejects while one runs. */
  rebuild(onProgress?: (progress: RebuildProgress) => void): Promise<Rebuilt>;
  /** The same for operators: by name, in the background, with reports. */
  readonly operations: ProjectorOperations;
}

/** Rows built from nothing: nobody waits for an event to show, and the fewer pages, the fewer lists are made in vain. */
const fillBatchSize = 50_000;

export function createProjector(deps: PipelineDeps, options: ProjectorOptions = {}): Projector {
  const { readModels, model, log, feed } = deps;
  const { partitions = 1 } = options;
  let current: Pipelines | null = null;
  let starting: Promise<void> | null = null;
  let stopping: Promise<void> | null = null;
  let rebuilding: { readonly abort: AbortController; readonly done: Promise<unknown> } | null = null;
  let takeover: Promise<void> = Promise.resolve();

  async function begin(): Promise<void> {
    const stored = await readView(readModels);
    if (stored.view !== null && fits(stored.view, model, partitions)) {
      current = startPipelines(deps, stored.view, options);
      return;
    }
    const generation = stored.view === null ? 1 : generationOf(stored.view.namespace) + 1;
    // Left over from a rebuild that was cut short, perhaps by another configuration.
    await removeGenerations(readModels, (one) => one >= generation);
    const view = newView(generation, model, partitions);
    if (stored.view === null && !(await switchView(readModels, view, stored.version))) return begin();
    current = startPipelines(deps, view, { batchSize: fillBatchSize, ...options });
    if (stored.view !== null) takeover = takeOver(current, stored.version);
  }

  /** Rows of another model, format or number of partitions serve on until the new ones have caught up. */
  async function takeOver(next: Pipelines, version: number): Promise<void> {
    log.info({ namespace: next.view.namespace }, "building new rows: the stored ones are of another configuration");
    try {
      await next.caughtUp();
      const switched = await switchView(readModels, next.view, version);
      log.info({ namespace: next.view.namespace, switched }, "new rows are complete");
      if (switched) await removeGenerations(readModels, (one) => one < generationOf(next.view.namespace) - 1);
    } catch (err) {
      if (stopping === null) log.error({ err }, "could not switch to the new rows; the next start will");
    }
  }

  function running(): Pipelines {
    if (current === null || stopping !== null) throw new Error("the projector is not running");
    return current;
  }

  async function rebuildNow(
    abort: AbortController,
    onProgress?: (progress: RebuildProgress) => void,
  ): Promise<Rebuilt> {
    await takeover;
    const live = running();
    const generation = generationOf(live.view.namespace) + 1;
    await removeGenerations(readModels, (one) => one >= generation);
    abort.signal.throwIfAborted();
    const shadow = startPipelines(deps, newView(generation, model, partitions), {
      batchSize: fillBatchSize,
      ...options,
    });
    abort.signal.addEventListener("abort", () => void shadow.stop());
    try {
      const watched = onProgress === undefined ? {} : { onProgress };
      const done = await rebuild({
        readModels,
        live,
        shadow,
        head: () => feed.head(),
        signal: abort.signal,
        ...watched,
      });
      current = shadow;
      await live.stop();
      return done;
    } catch (error) {
      await shadow.stop();
      throw error;
    }
  }

  async function end(): Promise<void> {
    await starting?.catch(() => undefined);
    rebuilding?.abort.abort(new Error("the projector was stopped"));
    await rebuilding?.done.catch(() => undefined);
    await current?.stop();
    await takeover;
  }

  const projector: Omit<Projector, "operations"> = {
    start() {
      if (stopping !== null) return Promise.reject(new Error("the projector was stopped"));
      // A start that failed may be tried again.
      starting ??= begin().catch((error: unknown) => {
        starting = null;
        throw error;
      });
      return starting;
    },
    stop() {
      stopping ??= end();
      return stopping;
    },
    position: () => (current === null ? null : Math.min(...current.positions())),
    status: () => current?.statuses() ?? [],
    view: () => current?.view ?? null,
    async caughtUp() {
      await running().caughtUp();
    },
    parked: () => current?.parked() ?? [],
    retry: async (learnerId) => running().retry(learnerId),
    async rebuild(onProgress) {
      running();
      if (rebuilding !== null) throw new Error("a rebuild is running already");
      const abort = new AbortController();
      const done = rebuildNow(abort, onProgress);
      rebuilding = { abort, done };
      try {
        return await done;
      } finally {
        rebuilding = null;
      }
    },
  };
  return { ...projector, operations: createProjectorOperations(projector, deps.clock, log) };
}
