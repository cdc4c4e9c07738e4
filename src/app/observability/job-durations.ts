import { Gauge, Histogram, type Registry } from "prom-client";
import type { JobDefinition } from "../../ports/job-queue.ts";

export interface JobDurations {
  /** The same job, measured. */
  measured<Input>(name: string, definition: JobDefinition<Input>): JobDefinition<Input>;
  register(registry: Registry): void;
}

/** Seconds; most jobs come by themselves and are short, replays take minutes. */
const durationBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800];

/** Rate, errors and durations of the background jobs that this process works on. */
export function createJobDurations(): JobDurations {
  const duration = new Histogram({
    ...{ registers: [], labelNames: ["job", "outcome"] as const, buckets: durationBuckets },
    name: "job_duration_seconds",
    help: "Time of one try of a background job: done, failed, or handed over because its worker had to go",
  });
  const running = new Gauge({
    ...{ registers: [], labelNames: ["job"] as const },
    name: "jobs_running",
    help: "Background jobs that this process works on now",
  });
  return {
    measured: (job, definition) => ({
      ...definition,
      async run(input, about) {
        const startedAt = performance.now();
        let outcome = "failed";
        running.inc({ job });
        try {
          const result = await definition.run(input, about);
          outcome = "done";
          return result;
        } catch (error) {
          if (about.signal.aborted) outcome = "handed_over";
          throw error;
        } finally {
          running.dec({ job });
          duration.observe({ job, outcome }, (performance.now() - startedAt) / 1000);
        }
      },
    }),
    register(registry) {
      registry.registerMetric(duration);
      registry.registerMetric(running);
    },
  };
}
