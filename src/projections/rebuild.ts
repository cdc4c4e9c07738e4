import type { ReadModels } from "../ports/read-models.ts";
import { compareRows, type RowsCompared } from "./compare.ts";
import { type FillOptions, fillRows } from "./fill.ts";
import {
  type Claim,
  claimGeneration,
  fits,
  newView,
  readView,
  removeGenerations,
  type StoredView,
  switchView,
} from "./live-view.ts";
import type { PipelineDeps } from "./pipeline.ts";
import { type PipelineSettings, type Pipelines, startPipelines } from "./pipelines.ts";
import { generationOf, type LiveView, nextListSize } from "./rows.ts";

export interface RebuildProgress {
  /** Of the slowest partition. */
  readonly position: number;
  /** Where the log ended when it began. */
  readonly head: number;
  /** Read so far. */
  readonly events: number;
}

export interface Rebuilt {
  readonly namespace: string;
  /** The rows that were live before: kept, for going back. */
  readonly kept: string;
  /** Up to here the new rows were folded when they were switched to. */
  readonly position: number;
  /** Of the log, that were read for it. */
  readonly events: number;
  /** Null for a rollback: the rows gone back to are not compared. */
  readonly comparison: RowsCompared | null;
}

/** Fills empty rows up to a position: here, or in threads of its own. */
export type Fill = (options: FillOptions) => Promise<void>;

export interface RebuildOptions {
  readonly partitions: number;
  readonly settings?: Omit<PipelineSettings, "owned">;
  readonly fill?: Fill;
  /** For rows that stand at different events to come to one, milliseconds. */
  readonly patienceMs?: number;
  onProgress?(progress: RebuildProgress): void;
  readonly signal?: AbortSignal;
}

/** It cannot be done as things stand, or others came first; nothing was changed for queries. */
export class CannotRebuild extends Error {
  override readonly name = "CannotRebuild";
}

/**
 * Builds all rows anew from the log, in a namespace of its own, while projectors, here or in other processes, go on with
 * the live ones; catches up, compares, and makes queries and projectors go over to the new rows. The rows before are
 * kept; older ones, and what other rebuilds left, are removed. Rejects, changing nothing for queries, when aborted, when
 * rows were lost meanwhile, and when another rebuild began or switched after this one had begun.
 */
export function rebuildRows(given: PipelineDeps, options: RebuildOptions): Promise<Rebuilt> {
  const deps = fromLogAlone(given);
  return guarded(deps.readModels, options, (guards) => build(deps, { ...options, ...guards }));
}

/** What it folds was traced and counted when it came in. */
function fromLogAlone({ restore: _, tracing: __, onBatch: ___, ...deps }: PipelineDeps): PipelineDeps {
  return deps;
}

async function build(deps: PipelineDeps, options: Guarded): Promise<Rebuilt> {
  const { readModels, model, feed } = deps;
  const { patienceMs, signal } = options;
  const live = liveRows(await readView(readModels), deps, options.partitions);
  const { view, claim, events } = await fillNew(deps, options);
  return withPipelines(deps, view, { ...options, events }, async (shadow) => {
    const given = { readModels, feed, model, live, shadow, signal };
    const comparison = await compareRows({ ...given, ...(patienceMs === undefined ? {} : { patienceMs }) });
    return { ...(await switchTo(readModels, shadow, live, claim, signal)), comparison };
  });
}

/** The same in place of live rows of another configuration, with which there is nothing to compare. */
export function replaceRows(given: PipelineDeps, options: RebuildOptions): Promise<Rebuilt> {
  const deps = fromLogAlone(given);
  const { readModels } = deps;
  return guarded(readModels, options, async (guards) => {
    const { view: live } = await readView(readModels);
    if (live === null) throw new CannotRebuild("there are no rows to replace");
    const { view, claim, events } = await fillNew(deps, { ...options, ...guards });
    return withPipelines(deps, view, { ...options, ...guards, events }, async (next) => ({
      ...(await switchTo(readModels, next, live, claim, guards.signal)),
      comparison: null,
    }));
  });
}

async function fillNew(
  deps: PipelineDeps,
  options: Guarded,
): Promise<{ view: LiveView; claim: Claim; events: number }> {
  const { readModels, model, feed } = deps;
  const { partitions, settings = {}, signal } = options;
  const claim = await claimGeneration(readModels);
  const { generation, stored } = claim;
  options.claimed(claim.version);
  const wanted = new Set(generationsOf(stored));
  // Of a generation above this one somebody else is in charge.
  await removeGenerations(readModels, (one) => one <= generation && !wanted.has(one));
  const view = newView(generation, model, partitions);
  const head = await feed.head();
  let events = 0;
  const fill: Fill = options.fill ?? ((given) => fillRows(deps, given));
  await fill({
    ...{ view, to: head, signal, listSize: settings.listSize ?? nextListSize },
    learnersInMemory: settings.learnersInMemory ?? 20_000,
    onProgress(position, read) {
      events = read;
      options.onProgress?.({ position, head, events });
    },
  });
  return { view, claim, events };
}

/**
 * Goes back to the rows that the last switch kept: brings them up to date from the log first, then makes queries and
 * projectors go over to them. The rows that were live are kept in their place, so that a second rollback goes forth again.
 */
export function rollBack(deps: PipelineDeps, options: RebuildOptions): Promise<Rebuilt> {
  return guarded(deps.readModels, options, async ({ signal, claimed }) => {
    const { readModels } = deps;
    // Whoever rebuilds at the moment may not switch after this.
    const claim = await claimGeneration(readModels);
    const { stored } = claim;
    claimed(claim.version);
    const live = liveRows(stored, deps, options.partitions);
    const { kept } = stored;
    if (kept === null) throw new CannotRebuild("no rows are kept: nothing was rebuilt yet");
    if (!fits(kept, deps.model, options.partitions)) {
      throw new CannotRebuild(
        `the rows kept, ${kept.namespace}, are of another configuration: start the projector with it`,
      );
    }
    return withPipelines(deps, kept, { ...options, signal, claimed, events: 0 }, async (again) => ({
      ...(await switchTo(readModels, again, live, claim, signal)),
      comparison: null,
    }));
  });
}

function liveRows({ view }: StoredView, { model }: PipelineDeps, partitions: number): LiveView {
  if (view === null) throw new CannotRebuild("there are no rows yet: a projector makes the first ones");
  if (fits(view, model, partitions)) return view;
  throw new CannotRebuild(
    `the live rows, ${view.namespace}, are of another configuration: a projector that is started with this one replaces them`,
  );
}

const generationsOf = ({ view, kept }: StoredView): number[] =>
  [view, kept].flatMap((one) => (one === null ? [] : generationOf(one.namespace)));

interface Guards {
  readonly signal: AbortSignal;
  /** From now on nobody else may change the live row. */
  claimed(version: number): void;
}
type Guarded = RebuildOptions & Guards;

const lookEveryMs = 1000;

/** Ends the work early where it cannot come to a good end: rows were lost on the way, or somebody else began after it. */
async function guarded<T>(
  readModels: ReadModels,
  { signal }: RebuildOptions,
  work: (guards: Guards) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const stopListening = readModels.onLoss(() =>
    ending.abort(new CannotRebuild("rows may have been lost meanwhile: start again")),
  );
  let timer: NodeJS.Timeout | undefined;
  let own: number | null = null;
  const look = async (claimed: number): Promise<void> => {
    const { version } = await readView(readModels);
    if (version !== claimed) ending.abort(overtaken());
  };
  try {
    return await work({
      signal: signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]),
      claimed(version) {
        own = version;
        // A look that fails is made again.
        timer = setInterval(() => void look(version).catch(() => undefined), lookEveryMs);
      },
    });
  } catch (error) {
    if (ending.signal.aborted || signal?.aborted === true) throw error;
    // Whoever came after it removes its rows: then whatever failed, failed of that.
    const version = await readView(readModels).then(
      (now) => now.version,
      () => own,
    );
    throw own === null || version === own ? error : overtaken(error);
  } finally {
    clearInterval(timer);
    stopListening();
  }
}

const overtaken = (cause?: unknown): Error =>
  new CannotRebuild("another rebuild or rollback began, or switched, meanwhile: that one counts", { cause });

/** Runs the pipelines of these rows, caught up with the log, for as long as `work` takes. */
async function withPipelines(
  deps: PipelineDeps,
  view: LiveView,
  { settings = {}, onProgress, signal, events }: Guarded & { readonly events: number },
  work: (pipelines: Pipelines) => Promise<Omit<Rebuilt, "events">>,
): Promise<Rebuilt> {
  // Queries read other rows.
  const pipelines = startPipelines({ ...deps, onVisible: undefined }, view, settings);
  const stop = (): void => void pipelines.stop();
  signal.addEventListener("abort", stop);
  const head = await deps.feed.head().catch(() => 0);
  const read = (): number => events + Math.max(...pipelines.statuses().map(({ eventsIn }) => eventsIn));
  const tell = (): void => onProgress?.({ position: Math.min(...pipelines.positions()), head, events: read() });
  const timer = setInterval(tell, progressMs);
  try {
    signal.throwIfAborted();
    await pipelines.caughtUp();
    return { ...(await work(pipelines)), events: read() };
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", stop);
    await pipelines.stop();
  }
}

const progressMs = 300;

async function switchTo(
  readModels: ReadModels,
  pipelines: Pipelines,
  live: LiveView,
  { generation, version }: Pick<Claim, "generation" | "version">,
  signal: AbortSignal,
): Promise<Omit<Rebuilt, "comparison" | "events">> {
  await pipelines.caughtUp();
  signal.throwIfAborted();
  const { view } = pipelines;
  if (!(await switchView(readModels, view, version, live))) throw overtaken();
  const keep = new Set([view, live].map(({ namespace }) => generationOf(namespace)));
  // What stays for now goes with the next rebuild.
  await removeGenerations(readModels, (one) => one <= generation && !keep.has(one)).catch(() => undefined);
  return { namespace: view.namespace, kept: live.namespace, position: Math.min(...pipelines.positions()) };
}
