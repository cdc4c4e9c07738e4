import type { RetryResult } from "../projections/parking.ts";
import type { PartitionStatus, PipelineSettings, Pipelines } from "../projections/pipelines.ts";
import type { LiveView } from "../projections/rows.ts";

/** What projectors are told alike, wherever their partitions come from. */
export interface ProjectorSettings extends PipelineSettings {
  /** How often it looks which rows are live (a rebuild has switched), should the word of that be lost, milliseconds. */
  readonly viewPollMs?: number;
  /** Events of the log gone through each second in search of rows that were lost by themselves; 0: none. Default {@link sweptPerSecondDefault}. */
  readonly sweptPerSecond?: number;
}

/** A pass over a million events takes about half an hour. */
export const sweptPerSecondDefault = 500;

/** Folds partitions of the log into the read models of learners and items. */
export interface RunningProjector {
  /** Resolves once it runs (not: once it has caught up, or owns anything). Rejects where the read models cannot be reached. Idempotent. */
  start(): Promise<void>;
  /** Finishes the batches in hand. Idempotent. */
  stop(): Promise<void>;
  /** Everything up to here is folded in and written: the slowest partition's; null while it has none, or no rows to write. */
  position(): number | null;
  /** Of its partitions. */
  status(): readonly PartitionStatus[];
  /** The rows it writes; null while there are none. */
  view(): LiveView | null;
  /** Resolves once its partitions hold everything that stands in the log now. */
  caughtUp(): Promise<void>;
  /** Of its partitions. */
  parked(): ReturnType<Pipelines["parked"]>;
  /** Rejects for a learner of a partition that is not its own. */
  retry(learnerId: string): Promise<RetryResult>;
}

/** How a projector starts and stops: each once, but a start that failed may be tried again. `end` is told of the last start. */
export function startAndStop(
  begin: () => Promise<void>,
  end: (started: Promise<void>) => Promise<void>,
): Pick<RunningProjector, "start" | "stop"> & { stopping(): boolean; started(): boolean } {
  let starting: Promise<void> | null = null;
  let stopping: Promise<void> | null = null;
  return {
    start() {
      if (stopping !== null) return Promise.reject(new Error("the projector was stopped"));
      starting ??= begin().catch((error: unknown) => {
        starting = null;
        throw error;
      });
      return starting;
    },
    stop() {
      stopping ??= end(starting?.catch(() => undefined) ?? Promise.resolve());
      return stopping;
    },
    started: () => starting !== null,
    stopping: () => stopping !== null,
  };
}
