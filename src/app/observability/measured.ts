import type { EngineMetrics } from "../../http/engine-metrics.ts";
import type { StreamMetrics, StreamObservation } from "../../http/stream-metrics.ts";
import type { StreamReader, StreamWriter } from "../../ports/event-stream.ts";
import type { ReadModels } from "../../ports/read-models.ts";

/**
 * Rows whose calls are measured, by operation; but for queries' reads, which the engine tells of a pipeline at a time: to take
 * the time of each would cost a tenth of it.
 */
export function measuredRows<T extends ReadModels>(rows: T, metrics: EngineMetrics): T {
  const [read, write, remove] = (["read", "write", "remove"] as const).map((operation) => {
    const observe = metrics.observeOperation("redis", "rows", operation);
    return async <R>(work: Promise<R>): Promise<R> => {
      const startedAt = performance.now();
      try {
        const result = await work;
        observe(performance.now() - startedAt, null);
        return result;
      } catch (error) {
        observe(performance.now() - startedAt, errorName(error));
        throw error;
      }
    };
  }) as [Timing, Timing, Timing];
  return {
    ...rows,
    read: (keys: readonly string[], fields?: readonly string[]) => read(rows.read(keys, fields)),
    write: (writes: Parameters<ReadModels["write"]>[0]) => write(rows.write(writes)),
    remove: (keys: readonly string[]) => remove(rows.remove(keys)),
  };
}

type Timing = <R>(work: Promise<R>) => Promise<R>;

/** A stream whose sending and processing is measured. */
export function measuredStream<T extends StreamWriter & StreamReader>(stream: T, metrics: StreamMetrics): T {
  const destination = stream.name;
  async function timed(
    observe: (observation: StreamObservation) => void,
    messages: number,
    work: () => Promise<void>,
  ): Promise<void> {
    const startedAt = performance.now();
    let error: string | null = null;
    try {
      await work();
    } catch (failure) {
      error = errorName(failure);
      throw failure;
    } finally {
      observe({ destination, messages, durationMs: performance.now() - startedAt, error });
    }
  }
  return {
    ...stream,
    send: (messages: Parameters<StreamWriter["send"]>[0]) =>
      timed(metrics.sent, messages.length, () => stream.send(messages)),
    consume: (consumer: Parameters<StreamReader["consume"]>[0]) =>
      stream.consume({
        async assigned(partitions) {
          metrics.owned(destination, partitions.length);
          await consumer.assigned(partitions);
        },
        handle: (partition, messages, signal) =>
          timed(metrics.processed, messages.length, () => consumer.handle(partition, messages, signal)),
      }),
  };
}

const errorName = (error: unknown): string => (error instanceof Error ? error.name : typeof error);
