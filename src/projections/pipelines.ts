import { idOf, learnerStream } from "../domain/streams.ts";
import type { Feed } from "../ports/feed.ts";
import { projected } from "./context.ts";
import { createGate, type Gate } from "./gate.ts";
import type { RetryResult } from "./parking.ts";
import { partitionOf } from "./partition.ts";
import { createPipeline, type Pipeline, type PipelineDeps } from "./pipeline.ts";
import { createReadAhead } from "./read-ahead.ts";
import type { Expected } from "./repair.ts";
import { type LiveView, nextListSize, type Parked } from "./rows.ts";
import { type ProjectionStatus, type RunningProjection, runProjection } from "./run-projection.ts";
import { watchedHandle } from "./watched-handle.ts";

export interface PipelineSettings {
  /** Partitions this process owns; all of them when left out. */
  readonly owned?: readonly number[];
  /** Events in one batch at the most: what a catch-up folds before it writes. */
  readonly batchSize?: number;
  /** Items in a precomputed list. */
  readonly listSize?: number;
  /** Decoded learner states kept in memory, by each partition. */
  readonly learnersInMemory?: number;
  /** Shortest time between two writes of the popular lists, milliseconds. */
  readonly popularTickMs?: number;
  /** First and longest pause after an error, milliseconds. */
  readonly retryMs?: number;
  readonly retryMsMax?: number;
  readonly idleWaitMs?: number;
}

export interface PartitionStatus extends ProjectionStatus {
  readonly partition: number;
  readonly parked: number;
}

/** The pipelines of one namespace that this process runs. */
export interface Pipelines {
  readonly view: LiveView;
  readonly gate: Gate;
  statuses(): PartitionStatus[];
  positions(): number[];
  /** Resolves once each has handled what stood in the log (as far as the gate lets through) at the call. */
  caughtUp(): Promise<void>;
  parked(): { readonly partition: number; readonly parked: Parked }[];
  /** Rejects for a learner of a partition that another process owns. */
  retry(learnerId: string): Promise<RetryResult>;
  /** Writes may be lost: see {@link Pipeline}. */
  suspectRecent(): void;
  /** Those of other partitions are passed over. */
  suspect(learners: readonly Expected[]): void;
  /** How many of these are still to be looked at. */
  suspected(): number;
  /** Idempotent. */
  stop(): Promise<void>;
}

export interface RunningPipeline {
  readonly partition: number;
  readonly pipeline: Pipeline;
  readonly loop: RunningProjection;
}

export function startPipelines(deps: PipelineDeps, view: LiveView, settings: PipelineSettings): Pipelines {
  const owned = settings.owned ?? Array.from({ length: view.partitions }, (_, partition) => partition);
  const gate = createGate(deps.feed);
  const running: RunningPipeline[] = owned.map((partition) =>
    // A catch-up does not wait for the next page. At head nothing is read ahead.
    startPipeline({ ...deps, feed: gate.feed }, view, partition, settings, gate.over(createReadAhead(deps.feed, 0))),
  );
  return {
    view,
    gate,
    statuses: () =>
      running.map(({ partition, pipeline, loop }) => ({ ...loop.status, partition, parked: pipeline.parked.size })),
    positions: () => running.map(({ loop }) => loop.position()),
    async caughtUp() {
      await Promise.all(running.map(({ loop }) => loop.caughtUp()));
    },
    parked: () =>
      running.flatMap(({ partition, pipeline }) =>
        Array.from(pipeline.parked.values(), (parked) => ({ partition, parked })),
      ),
    retry(learnerId) {
      const partition = partitionOf(learnerId, view.partitions);
      const owner = running.find((one) => one.partition === partition);
      if (owner === undefined) {
        return Promise.reject(new Error(`partition ${partition} of learner ${learnerId} is owned elsewhere`));
      }
      const result = owner.pipeline.retry(learnerStream(learnerId));
      owner.loop.nudge();
      return result;
    },
    suspectRecent() {
      for (const { pipeline, loop } of running) {
        pipeline.suspectRecent();
        loop.nudge();
      }
    },
    suspect(learners) {
      for (const { partition, pipeline, loop } of running) {
        pipeline.suspect(learners.filter(({ stream }) => partitionOf(idOf(stream), view.partitions) === partition));
        loop.nudge();
      }
    },
    suspected: () => running.reduce((sum, { pipeline }) => sum + pipeline.suspected(), 0),
    async stop() {
      gate.release();
      await Promise.all(running.map(({ loop }) => loop.stop()));
      for (const { pipeline } of running) pipeline.close();
    },
  };
}

/** `input`: what the loop reads; the log itself, unless a stream stands between. */
export function startPipeline(
  deps: PipelineDeps,
  view: LiveView,
  partition: number,
  settings: PipelineSettings,
  input: Feed = deps.feed,
): RunningPipeline {
  const pipeline = createPipeline(deps, {
    namespace: view.namespace,
    partition,
    partitions: view.partitions,
    listSize: settings.listSize ?? nextListSize,
    learnersInMemory: settings.learnersInMemory ?? 10_000,
    popularTickMs: settings.popularTickMs ?? 1000,
  });
  const { retryMs, retryMsMax, idleWaitMs } = settings;
  const loop = runProjection({
    name: `learners ${view.namespace} ${partition}`,
    feed: input,
    // A page of a catch-up is long in memory, and each event is decoded once.
    filter: { ...projected, parseLate: true },
    batchSize: settings.batchSize ?? 20_000,
    load: pipeline.load,
    handle: watchedHandle(pipeline.handle, deps, view, partition),
    between: pipeline.between,
    log: deps.log,
    ...(retryMs === undefined ? {} : { retryMs }),
    ...(retryMsMax === undefined ? {} : { retryMsMax }),
    ...(idleWaitMs === undefined ? {} : { idleWaitMs }),
  });
  return { partition, pipeline, loop };
}
