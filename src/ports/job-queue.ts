/**
 * Background work, done sooner or later by one of the processes that work on jobs. At least once: a job whose worker
 * died, or was stopped in the middle of it, is done again. So handlers bear being repeated, and two jobs of one name may
 * run at a time where there are several workers.
 */
export interface JobQueue {
  /** Says what jobs of this name are. Inputs are checked when they come in and again before the work. Before `start`. */
  define<Input>(name: string, definition: JobDefinition<Input>): void;
  /**
   * From now on, while this process lives, a job of this name comes every so many milliseconds, the first one at once
   * unless it came already. Processes that ask for the same interval share its jobs. None comes while the one before
   * has not ended. Replaces what this process asked for before.
   */
  schedule(name: string, everyMs: number): Promise<void>;
  /**
   * Resolves with the job's id once it is queued. With `id` (no colon in it), a job of that id that is known still is
   * not queued again; with `key`, none is queued while one of that key waits or runs.
   * Rejects where the input is not what the name takes, and with {@link JobsUnavailable}.
   */
  enqueue(name: string, input: unknown, options?: EnqueueOptions): Promise<string>;
  /** Begins to work on jobs. A process that never does only queues them. */
  start(): void;
  counts(): Promise<JobCounts>;
  /** The newest first. */
  failed(limit: number): Promise<FailedJob[]>;
  /** Queues a failed job again; false where there is none of this id. */
  retry(id: string): Promise<boolean>;
  /**
   * Takes no more; waits for the jobs in hand, and after a while tells them to end: they are done again elsewhere.
   * Idempotent.
   */
  close(): Promise<void>;
}

export interface EnqueueOptions {
  readonly id?: string;
  readonly key?: string;
}

export interface JobDefinition<Input> {
  /** Throws where the input is wrong: a zod schema, for one. A scheduled job's input is {}. */
  readonly input: { parse(input: unknown): Input };
  /** How often it is tried before it counts as failed. Default 3. */
  readonly attempts?: number;
  /** What it resolves with is kept beside the job for a while: a few words in JSON. */
  run(input: Input, job: RunningJob): Promise<unknown>;
}

export interface RunningJob {
  readonly id: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Aborts when the worker has to go: save what is done, and throw. */
  readonly signal: AbortSignal;
}

export interface JobCounts {
  readonly waiting: number;
  /** Waiting too, ahead of the others. */
  readonly prioritized: number;
  /** Somebody has stopped the queue: what waits is not begun. */
  readonly paused: boolean;
  readonly active: number;
  /** For a later time: scheduled, or to be tried again. */
  readonly delayed: number;
  readonly failed: number;
  /** Ended so since the queue is counted: these only grow. A job that is tried again counts as failed once, at its end. */
  readonly completedTotal: number;
  readonly failedTotal: number;
  /** Since when the job that waits longest has waited, milliseconds of the epoch; null where none waits. */
  readonly oldestWaitingAt: number | null;
}

export interface FailedJob {
  readonly id: string;
  readonly name: string;
  readonly error: string;
  readonly attempts: number;
  /** ISO 8601. */
  readonly failedAt: string;
}

/** The engine of the jobs did not answer. What was queued before is there. */
export class JobsUnavailable extends Error {
  override readonly name = "JobsUnavailable";
}
