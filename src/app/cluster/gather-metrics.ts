import { AggregatorRegistry, type MetricObject, type Registry } from "prom-client";

/** Asks workers for their metrics and adds them up, each by its own rule (sum, where it names none). */
export interface MetricsGatherer {
  /** Resolves with Prometheus' text format. A worker that does not answer in time is left out. */
  gather(workers: readonly { ask(id: number): void }[]): Promise<string>;
  answered(id: number, metrics: readonly unknown[]): void;
}

const withinMs = 2_000;

/** `own`: metrics of the primary. */
export function createMetricsGatherer(own: Registry): MetricsGatherer {
  const open = new Map<number, (metrics: readonly unknown[]) => void>();
  let ids = 0;
  return {
    async gather(workers) {
      ids += 1;
      const id = ids;
      const answers: (readonly unknown[])[] = [];
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        open.set(id, (metrics) => {
          answers.push(metrics);
          if (answers.length < workers.length) return;
          clearTimeout(timer);
          resolve();
        });
        for (const worker of workers) worker.ask(id);
      });
      open.delete(id);
      // What comes over the channel is what the same library gave.
      const all = [await own.getMetricsAsJSON(), ...answers] as unknown as MetricObject[][];
      return AggregatorRegistry.aggregate(all as unknown as MetricObject[]).metrics();
    },
    answered: (id, metrics) => open.get(id)?.(metrics),
  };
}
