import { Gauge, type Registry } from "prom-client";
import type { JobCounts, JobQueue } from "../ports/job-queue.ts";

/** Jobs of the whole deployment by state, read when scraped; absent while their engine does not answer. */
export function registerJobMetrics(registry: Registry, jobs: Pick<JobQueue, "counts">): void {
  new Gauge({
    ...{ name: "jobs", help: "Background jobs by state", labelNames: ["state"] as const, registers: [registry] },
    async collect() {
      this.reset();
      const counts: Partial<JobCounts> = await jobs.counts().catch(() => ({}));
      for (const [state, n] of Object.entries(counts)) this.set({ state }, n);
    },
  });
}
