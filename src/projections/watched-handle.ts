import { type StoredEvent, traceparentOf } from "../domain/stored-event.ts";
import { categoryOf, idOf } from "../domain/streams.ts";
import type { FeedPage } from "../ports/feed.ts";
import type { Tracing } from "../ports/tracing.ts";
import { partitionOf } from "./partition.ts";
import type { LiveView } from "./rows.ts";

/** One batch of a partition, from the fold to the last row written. */
export interface BatchReport {
  readonly projection: string;
  readonly partition: number;
  readonly events: number;
  readonly durationMs: number;
  /** It will be folded again. */
  readonly failed: boolean;
}

export interface BatchWatch {
  /** Left out: nothing is traced. */
  readonly tracing?: Tracing;
  readonly onBatch?: (batch: BatchReport) => void;
}

type Handle = (page: FeedPage, signal?: AbortSignal) => Promise<number>;

const projection = "learners";

/** The same, told of and traced as far as somebody wants to know. */
export function watchedHandle(
  handle: Handle,
  { tracing, onBatch }: BatchWatch,
  view: LiveView,
  partition: number,
): Handle {
  const traced = tracing === undefined ? handle : tracedHandle(handle, tracing, view, partition);
  if (onBatch === undefined) return traced;
  return async (page, signal) => {
    const startedAt = performance.now();
    let failed = true;
    try {
      const position = await traced(page, signal);
      failed = false;
      return position;
    } finally {
      onBatch({ projection, partition, events: page.events.length, durationMs: performance.now() - startedAt, failed });
    }
  };
}

/** A span in the trace of each request whose events are in the batch. */
function tracedHandle(
  handle: Handle,
  tracing: Tracing,
  { namespace, partitions }: LiveView,
  partition: number,
): Handle {
  const name = `project ${projection}`;
  const place = { "proximal.namespace": namespace, "proximal.partition": partition };
  return (page, signal) => {
    const attributes = { ...place, "proximal.batch.events": page.events.length };
    return tracing.withinEach(causes(page.events, partition, partitions), { name, attributes }, () =>
      handle(page, signal),
    );
  };
}

/** A partition that reads the log itself is shown the events of others too. */
function* causes(events: readonly StoredEvent[], partition: number, partitions: number): Iterable<string> {
  for (const event of events) {
    const traceparent = traceparentOf(event);
    if (traceparent === undefined) continue;
    const learners = categoryOf(event.stream) === "learner";
    if (!learners || partitionOf(idOf(event.stream), partitions) === partition) yield traceparent;
  }
}
