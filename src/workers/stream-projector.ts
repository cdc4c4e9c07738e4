import { idOf, learnerStream } from "../domain/streams.ts";
import type { Consumption, StreamReader } from "../ports/event-stream.ts";
import { partitionOf } from "../projections/partition.ts";
import type { PipelineDeps } from "../projections/pipeline.ts";
import { type Pipelines, type RunningPipeline, startPipeline } from "../projections/pipelines.ts";
import type { LiveView } from "../projections/rows.ts";
import { type RowSweeper, startRowSweeper } from "./row-sweeper.ts";
import {
  type ProjectorSettings,
  type RunningProjector,
  startAndStop,
  sweptPerSecondDefault,
} from "./running-projector.ts";
import { createPartitionInput, type PartitionInput } from "./stream-projector-input.ts";
import { followStreamRows } from "./stream-projector-rows.ts";

export interface StreamProjectorDeps extends PipelineDeps {
  readonly stream: StreamReader;
}

export type StreamProjectorOptions = Omit<ProjectorSettings, "owned">;

/** Folds the partitions that the stream gives to this process into the read models: what it has and says is of those. */
export type StreamProjector = RunningProjector;

interface Owned {
  readonly input: PartitionInput;
  /** null while there are no rows to write. */
  running: RunningPipeline | null;
}

/**
 * The pipelines of {@link startPipeline}, one for each partition that this process owns at the moment, on a stream that
 * processes share. A partition's rows and its position lie in the read models, so that its next owner goes on where
 * they stand, and the stream commits an offset only after they were written.
 */
export function createStreamProjector(
  deps: StreamProjectorDeps,
  options: StreamProjectorOptions = {},
): StreamProjector {
  const { log, feed, stream } = deps;
  const { partitions } = stream;
  const { sweptPerSecond = sweptPerSecondDefault } = options;
  const owned = new Map<number, Owned>();
  let view: LiveView | null = null;
  let consumption: Consumption | null = null;
  let sweeper: RowSweeper | null = null;
  /** Assignments, switches of rows and the stop, one after another. */
  let changing: Promise<unknown> = Promise.resolve();

  function exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = changing.then(work);
    changing = result.catch(() => undefined);
    return result;
  }

  const runningOnes = (): RunningPipeline[] => Array.from(owned.values()).flatMap(({ running }) => running ?? []);

  /** What the sweeper looks at: null while this owns nothing. */
  function sweptOnes(): Pick<Pipelines, "suspect" | "suspected" | "positions"> | null {
    const running = runningOnes();
    if (running.length === 0) return null;
    return {
      positions: () => running.map(({ loop }) => loop.position()),
      suspected: () => running.reduce((sum, { pipeline }) => sum + pipeline.suspected(), 0),
      suspect(learners) {
        for (const { partition, pipeline, loop } of running) {
          pipeline.suspect(learners.filter(({ stream: one }) => partitionOf(idOf(one), partitions) === partition));
          loop.nudge();
        }
      },
    };
  }

  function run(partition: number, one: Owned): void {
    if (view === null || one.running !== null) return;
    one.running = startPipeline(deps, view, partition, options, one.input.feed);
  }

  async function halt(one: Owned): Promise<void> {
    const { running } = one;
    one.running = null;
    if (running === null) return;
    await running.loop.stop();
    running.pipeline.close();
  }

  async function assigned(now: readonly number[]): Promise<void> {
    const lost = [...owned].filter(([partition]) => !now.includes(partition));
    for (const [partition] of lost) owned.delete(partition);
    await Promise.all(lost.map(([, one]) => halt(one)));
    for (const partition of now) {
      const one = owned.get(partition) ?? {
        input: createPartitionInput({ log: feed, partition, partitions }),
        running: null,
      };
      owned.set(partition, one);
      one.input.resume();
      run(partition, one);
    }
    rows.reconsider();
  }

  async function goOver(next: LiveView | null): Promise<void> {
    if (next?.namespace === view?.namespace) return;
    await Promise.all(Array.from(owned.values(), halt));
    if (next !== null) log.info({ namespace: next.namespace, before: view?.namespace }, "projecting into these rows");
    view = next;
    for (const [partition, one] of owned) run(partition, one);
  }

  const rows = followStreamRows({
    ...{ deps, partitions, settings: options, viewPollMs: options.viewPollMs },
    onRows: (next) => exclusively(() => goOver(next)),
    async onLoss(lost) {
      log.warn({ namespace: view?.namespace }, "rows may have been lost: looking at what was written lately");
      for (const { pipeline, loop } of runningOnes()) {
        pipeline.suspectRecent();
        loop.nudge();
      }
      if (lost === "any") sweeper?.hurry();
    },
    mayReplace: () => owned.has(0),
  });

  async function begin(): Promise<void> {
    await rows.start();
    if (life.stopping()) return;
    consumption = stream.consume({
      assigned: (now) => exclusively(() => assigned(now)),
      async handle(partition, messages, signal) {
        const one = owned.get(partition);
        if (one === undefined) throw new Error(`partition ${partition} is not owned here`);
        await one.input.offer(messages, signal);
      },
    });
    if (sweptPerSecond > 0) {
      sweeper = startRowSweeper({ feed, log, pipelines: sweptOnes, eventsPerStep: sweptPerSecond });
    }
  }

  async function end(started: Promise<void>): Promise<void> {
    await started;
    await sweeper?.stop();
    await consumption?.close();
    await rows.stop();
    await exclusively(() => assigned([]));
  }

  const life = startAndStop(begin, end);
  return {
    start: life.start,
    stop: life.stop,
    position() {
      const positions = runningOnes().map(({ loop }) => loop.position());
      return positions.length === 0 ? null : Math.min(...positions);
    },
    status: () =>
      runningOnes().map(({ partition, pipeline, loop }) => ({
        ...loop.status,
        partition,
        parked: pipeline.parked.size,
      })),
    view: () => view,
    async caughtUp() {
      const head = await feed.head();
      while (!life.stopping()) {
        if ([...owned.values()].every(({ running }) => (running?.loop.position() ?? -1) >= head)) return;
        await new Promise((resolve) => setTimeout(resolve, caughtUpPollMs));
      }
      throw new Error("the projector was stopped");
    },
    parked: () =>
      runningOnes().flatMap(({ partition, pipeline }) =>
        Array.from(pipeline.parked.values(), (parked) => ({ partition, parked })),
      ),
    async retry(learnerId) {
      const partition = partitionOf(learnerId, partitions);
      const running = owned.get(partition)?.running ?? null;
      if (running === null) throw new Error(`partition ${partition} of learner ${learnerId} is owned elsewhere`);
      const result = running.pipeline.retry(learnerStream(learnerId));
      running.loop.nudge();
      return result;
    },
  };
}

const caughtUpPollMs = 20;
