import { Counter, Histogram, type Registry } from "prom-client";
import type { BatchReport } from "../projections/watched-handle.ts";

export interface ProjectionMetrics {
  /** For PipelineDeps. */
  observe(batch: BatchReport): void;
  register(registry: Registry): void;
}

const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Rate, errors and durations of what a projector folds. */
export function createProjectionMetrics(): ProjectionMetrics {
  const labelNames = ["projection", "partition"] as const;
  const duration = new Histogram({
    ...{ registers: [], labelNames: ["projection"] as const, buckets: durationBuckets },
    name: "projection_batch_duration_seconds",
    help: "Time to fold a batch of events and to write its rows",
  });
  const events = new Counter({
    ...{ registers: [], labelNames },
    name: "projection_events_total",
    help: "Events of the log that were gone through, and their effect written",
  });
  const failures = new Counter({
    ...{ registers: [], labelNames },
    name: "projection_batch_failures_total",
    help: "Batches that failed and are folded again",
  });
  return {
    observe({ projection, partition, events: count, durationMs, failed }) {
      const labels = { projection, partition: String(partition) };
      failures.inc(labels, failed ? 1 : 0);
      if (failed) return;
      duration.observe({ projection }, durationMs / 1000);
      events.inc(labels, count);
    },
    register(registry) {
      registry.registerMetric(duration);
      registry.registerMetric(events);
      registry.registerMetric(failures);
    },
  };
}
