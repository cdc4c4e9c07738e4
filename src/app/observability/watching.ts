import type { Registry } from "prom-client";
import { createEngineMetrics, type EngineMetrics } from "../../http/engine-metrics.ts";
import { createProjectionMetrics } from "../../http/projection-metrics.ts";
import { createStreamMetrics } from "../../http/stream-metrics.ts";
import type { EventStore } from "../../ports/event-store.ts";
import type { StreamReader, StreamWriter } from "../../ports/event-stream.ts";
import type { Tracing } from "../../ports/tracing.ts";
import type { BatchWatch } from "../../projections/watched-handle.ts";
import type { Engines } from "../compose.ts";
import type { OpenReadModels } from "../compose-rows.ts";
import type { Config } from "../config.ts";
import type { Job } from "../start-jobs.ts";
import { createJobDurations } from "./job-durations.ts";
import { measuredRows, measuredStream } from "./measured.ts";
import { registerProcessMetrics } from "./process-metrics.ts";
import { tracedAppends, tracedRows, tracedStream } from "./traced.ts";
import type { Traces } from "./traces.ts";

/** Puts metrics, and where they are on traces, around the parts of a process, from outside: the parts know of neither. */
export interface Watching {
  readonly tracing: Tracing | undefined;
  readonly engines: EngineMetrics;
  readonly batches: BatchWatch;
  appends(engines: Pick<Engines, "eventStore" | "system">): EventStore;
  rows(opened: OpenReadModels): OpenReadModels;
  stream<T extends StreamWriter & StreamReader>(stream: T): T;
  job(job: Job): Job;
  /** From now on the registry shows all of it. */
  register(registry: Registry): void;
}

export function createWatching(config: Config, traces: Traces | undefined): Watching {
  const tracing = traces?.tracing;
  const engines = createEngineMetrics();
  const streams = createStreamMetrics();
  const projections = createProjectionMetrics();
  const jobs = createJobDurations();
  return {
    ...{ tracing, engines },
    batches: { onBatch: projections.observe, ...(tracing && { tracing }) },
    appends: ({ eventStore, system }) =>
      tracing === undefined ? eventStore : tracedAppends(eventStore, tracing, system),
    rows(opened) {
      const { connections, readModels } = opened;
      if (connections !== null) engines.watchConnections("rows", connections);
      opened.observeReads(engines.observeOperation("redis", "rows", "get"));
      // What is in this process's memory takes no time worth measuring.
      const measured = connections === null ? readModels : measuredRows(readModels, engines);
      const system = connections === null ? "memory" : "redis";
      return { ...opened, readModels: tracing === undefined ? measured : tracedRows(measured, tracing, system) };
    },
    stream(stream) {
      const measured = measuredStream(stream, streams);
      return tracing === undefined ? measured : tracedStream(measured, tracing);
    },
    job: (job) => ({ ...job, definition: jobs.measured(job.name, job.definition) }),
    register(registry) {
      registerProcessMetrics(registry, config);
      for (const metrics of [engines, streams, projections, jobs]) metrics.register(registry);
      traces?.register(registry);
    },
  };
}
