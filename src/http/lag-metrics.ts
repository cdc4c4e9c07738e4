import { Counter, Gauge, type Registry } from "prom-client";
import type { Freshness } from "../queries/freshness.ts";
import type { Lag } from "../queries/lag.ts";
import type { LagReading } from "../queries/lag-sampler.ts";
import type { QueueLag, QueueReading } from "../queries/queue-lag.ts";

export interface LagSources {
  /** Read when scraped. */
  lag(): Promise<LagReading>;
  queues(): Promise<QueueReading>;
  freshness(): Promise<Freshness | null>;
}

/** Each process that shares a port, and each that is scraped, sees the same lag: it does not add up. */
const aggregator = "max" as const;

/** A source that cannot be read, and a number that is not known, is left out of the scrape: absent is not zero. */
export function registerLagMetrics(registry: Registry, { lag, queues, freshness }: LagSources): void {
  const lags = async (): Promise<readonly Lag[]> => (await lag().catch(() => null))?.projections ?? [];
  const lagGauge = (name: string, help: string, value: (lag: Lag) => number | null): void => {
    new Gauge({
      ...{ name, help, labelNames: ["projection", "partition"] as const, registers: [registry], aggregator },
      async collect() {
        const found = await lags();
        this.reset();
        for (const one of found) {
          const shown = value(one);
          if (shown !== null) this.set({ projection: one.projection, partition: String(one.partition) }, shown);
        }
      },
    });
  };
  lagGauge("projection_lag_events", "Events not folded in yet", (one) => one.behindEvents);
  lagGauge("projection_lag_seconds", "Age of the oldest event not folded in yet", (one) => one.behindSeconds);
  lagGauge("projection_started", "0: it has no position at all, which is stale, not caught up", (one) =>
    one.started ? 1 : 0,
  );
  lagGauge("projection_events_in_per_second", "Events that came in for it, over the last minute", (one) => one.rateIn);
  lagGauge("projection_events_out_per_second", "Events that it folded, over the last minute", (one) => one.rateOut);
  lagGauge(
    "projection_drain_seconds",
    "Until nothing is behind at the rates of the last minute; absent where it will not drain",
    (one) => one.secondsToDrain,
  );
  registerQueueMetrics(registry, queues);
  const budget = new Gauge({
    ...{ name: "freshness_error_budget_left_ratio", registers: [registry], aggregator },
    help: "Share of the error budget of freshness that is left, of the last 30 days; below 0 where it is overdrawn",
    async collect() {
      const found = await freshness().catch(() => null);
      if (found === null) budget.remove();
      else budget.set(found.budgetLeft);
    },
  });
}

const states = ["waiting", "prioritized", "delayed", "active", "failed"] as const;

function registerQueueMetrics(registry: Registry, queues: LagSources["queues"]): void {
  const registers = [registry];
  const gauge = (name: string, help: string, value: (queue: QueueLag) => number): void => {
    new Gauge({
      ...{ name, help, registers, aggregator, labelNames: ["queue"] as const },
      async collect() {
        const { queues: found } = await queues();
        this.reset();
        for (const one of found) this.set({ queue: one.queue }, value(one));
      },
    });
  };
  new Gauge({
    ...{ name: "job_queue_jobs", help: "Jobs of the deployment by queue and state", registers, aggregator },
    labelNames: ["queue", "state"] as const,
    async collect() {
      const { queues: found } = await queues();
      this.reset();
      for (const one of found) for (const state of states) this.set({ queue: one.queue, state }, one[state]);
    },
  });
  new Gauge({
    ...{ name: "jobs", help: "Background jobs by state; job_queue_jobs has all queues", registers, aggregator },
    labelNames: ["state"] as const,
    async collect() {
      const { queues: found } = await queues();
      this.reset();
      const jobs = found.find(({ queue }) => queue === "jobs");
      if (jobs !== undefined) for (const state of states) this.set({ state }, jobs[state]);
    },
  });
  gauge("job_queue_backlog_jobs", "Jobs not begun: waiting, prioritized, delayed", (one) => one.backlog);
  gauge("job_queue_paused", "1: somebody has stopped the queue", (one) => (one.paused ? 1 : 0));
  gauge(
    "job_queue_oldest_waiting_seconds",
    "How long the job that waits longest has waited",
    (one) => one.oldestWaitingSeconds,
  );
  // The engine counts for all processes; emptied, it begins at 0 again, as any counter may.
  const counter = (name: string, help: string, value: (queue: QueueLag) => number): void => {
    new Counter({
      ...{ name, help, registers, aggregator, labelNames: ["queue"] as const },
      async collect() {
        const { queues: found } = await queues();
        this.reset();
        for (const one of found) this.inc({ queue: one.queue }, value(one));
      },
    });
  };
  counter("job_queue_completed_total", "Jobs that were done, by the engine's count", (one) => one.completedTotal);
  counter("job_queue_failed_total", "Jobs that were given up, by the engine's count", (one) => one.failedTotal);
}
