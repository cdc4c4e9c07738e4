import type { StoredEvent } from "../domain/stored-event.ts";

/**
 * The log as a stream of partitions that workers share among themselves. What concerns a partition (its learners'
 * events, and all of the catalogue and the models) goes to it in log order, so that each partition is a whole input by
 * itself. The log stays the truth: what the stream lost, repeats or never had is seen by `prev` and read from there.
 */
export interface StreamMessage {
  readonly partition: number;
  /** Position in the log up to which this message tells all. */
  readonly position: number;
  /** Between this position and `position` nothing concerns the partition but `event`. */
  readonly prev: number;
  /** null: nothing does (a mark that time and log went on), or it is to be read from the log. */
  readonly event: StoredEvent | null;
}

export interface StreamWriter {
  /** The stream's name: what a writer remembers of it belongs to this one only. */
  readonly name: string;
  readonly partitions: number;
  /**
   * Resolves when all are durable. Order holds within a partition. Rejects, within a bounded time, where it is not
   * known whether they are: send them again, which is harmless.
   */
  send(messages: readonly StreamMessage[]): Promise<void>;
}

export interface StreamConsumer {
  /**
   * From now on these partitions are this consumer's, and no others are. Called at each change, also with what it had
   * before, and with none at the end. Nothing is handed out until it has resolved.
   */
  assigned(partitions: readonly number[]): Promise<void>;
  /**
   * Resolves when the effect of the messages is stored: they are not handed out again then (but may be, after a
   * failure). Called for several partitions at once, for one partition one after another.
   * When the signal aborts the partition may go to another: rejects soon, and has no effect any more when it does.
   */
  handle(partition: number, messages: readonly StreamMessage[], signal: AbortSignal): Promise<void>;
}

export interface StreamReader {
  readonly partitions: number;
  /** Takes part in sharing the partitions until it is closed. Trouble with the engine is its own affair: it comes back. */
  consume(consumer: StreamConsumer): Consumption;
}

export interface Consumption {
  /** Hands the partitions over: finishes what is in hand, then leaves. Idempotent. */
  close(): Promise<void>;
}

/** The engine did not answer, or refused. Nothing is lost: the log holds the truth. */
export class StreamUnavailable extends Error {
  override readonly name = "StreamUnavailable";
}
