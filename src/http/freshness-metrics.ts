import { Gauge, Registry } from "prom-client";
import type { FreshnessObjective } from "../queries/freshness.ts";
import { cheapCounters, cheapHistogram } from "./cheap-metrics.ts";

export interface FreshnessMetrics {
  /** Seconds from an answer's durable commit until queries see it. */
  observe(seconds: number): void;
  /** From now on the registry shows them. */
  register(registry: Registry): void;
}

const edges = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600];

/** Made before there is a server, registered when it is there. The objective is one of the edges. */
export function createFreshnessMetrics({ objective, withinSeconds }: FreshnessObjective): FreshnessMetrics {
  const own = new Registry();
  const help = "From the durable commit of an answer until queries see its effect";
  const all = [...new Set([...edges, withinSeconds])].sort((a, b) => a - b);
  const observeAll = cheapHistogram([own], "answer_to_visible_seconds", help, all).with({});
  const countInTime = cheapCounters(
    [own],
    "answer_to_visible_in_time_total",
    "Answers that were visible within PROXIMAL_FRESHNESS_WITHIN_MS",
    [],
  ).with({});
  new Gauge({
    ...{ name: "freshness_objective_ratio", registers: [own], aggregator: "max" },
    help: "Share of the answers that is to be visible in time, PROXIMAL_FRESHNESS_OBJECTIVE",
  }).set(objective);
  return {
    observe(seconds) {
      observeAll(seconds);
      if (seconds <= withinSeconds) countInTime();
    },
    register(registry) {
      for (const metric of own.getMetricsAsArray()) registry.registerMetric(metric as never);
    },
  };
}
