import { type StoredEvent, traceparentOf } from "../domain/stored-event.ts";
import { categoryOf, idOf } from "../domain/streams.ts";
import type { Tracing } from "../ports/tracing.ts";
import { partitionOf } from "./partition.ts";
import type { Pipeline } from "./pipeline.ts";
import type { LiveView } from "./rows.ts";

/** Folds a batch as a span in the trace of each request whose events are in it, from the fold to the last row written. */
export function tracedHandle(
  { handle }: Pick<Pipeline, "handle">,
  tracing: Tracing,
  { namespace, partitions }: LiveView,
  partition: number,
): Pipeline["handle"] {
  const name = "project learners";
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
