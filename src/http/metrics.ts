import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Lag } from "../queries/lag.ts";
import { cheapCounter, cheapHistogram, type Observe } from "./cheap-metrics.ts";

export interface Metrics {
  readonly registry: Registry;
  /** Takes the seconds of each request answered so. `route` is the pattern, never the path: its values must stay few. */
  requests(method: string, route: string, status: number): Observe;
  observeCommit(commit: { requests: number; callers: number; durationMs: number; failed: boolean }): void;
  countInteractions(status: "accepted" | "duplicate" | "rejected", n: number): void;
  countAnswers(source: string): void;
  /** Lists given out, chosen to be recorded. */
  countServed(outcome: "recorded" | "duplicate" | "dropped", n: number): void;
  /** A row asked of this process's memory, and whether it was there. */
  countLookUp(hit: boolean): void;
}

export interface MetricsSources {
  /** Read when scraped. */
  lag(): Promise<readonly Lag[]>;
  parked(): Promise<number>;
  pendingAppends(): number;
}

/** Seconds; .25 and .3 are edges, because objectives stand there. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.3, 0.5, 1, 2.5, 5, 10];

export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const duration = cheapHistogram(
    registry,
    "http_server_request_duration_seconds",
    "Time to answer a request, http.server.request.duration of OpenTelemetry",
    durationBuckets,
  );
  const interactions = cheapCounter(registers, "interactions_total", "Interactions received, by outcome", "status");
  const answers = cheapCounter(registers, "next_answers_total", "Next-item answers by where they came from", "source");
  const lookUps = cheapCounter(registers, "row_cache_lookups_total", "Rows asked of this process's memory", "result");
  const served = cheapCounter(
    registers,
    "served_lists_total",
    "Lists given out, by what became of their record",
    "outcome",
  );
  const commits = commitMetrics(registers, sources);
  projectionGauges(registers, sources);
  const series = new Map<string, Observe>();
  return {
    registry,
    requests(method, route, status) {
      const key = `${method} ${route} ${status}`;
      let observe = series.get(key);
      if (observe === undefined) {
        const labels = { http_request_method: method, http_route: route, http_response_status_code: status };
        observe = duration.with(labels);
        series.set(key, observe);
      }
      return observe;
    },
    observeCommit: commits,
    countInteractions: interactions,
    countAnswers: answers,
    countServed: served,
    countLookUp: (hit) => lookUps(hit ? "hit" : "miss"),
  };
}

function commitMetrics(registers: Registry[], sources: MetricsSources): Metrics["observeCommit"] {
  const size = new Histogram({
    name: "append_batch_events",
    help: "Events in one durable commit of the log",
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000],
    registers,
  });
  const duration = new Histogram({
    name: "append_duration_seconds",
    help: "Time of one durable commit of the log",
    buckets: durationBuckets,
    registers,
  });
  const failures = new Counter({ name: "append_failures_total", help: "Commits that failed", registers });
  new Gauge({
    name: "append_pending_events",
    help: "Events that wait for the log or are being committed",
    registers,
    collect() {
      this.set(sources.pendingAppends());
    },
  });
  return ({ requests, durationMs, failed }) => {
    size.observe(requests);
    duration.observe(durationMs / 1000);
    if (failed) failures.inc();
  };
}

/** A source that cannot be read leaves its gauge out of the scrape: absent is not zero. */
function projectionGauges(registers: Registry[], sources: MetricsSources): void {
  let asked: Promise<readonly Lag[]> | null = null;
  // Both gauges are collected at the same time, from one look.
  const lags = (): Promise<readonly Lag[]> => {
    asked ??= sources
      .lag()
      .catch(() => [])
      .finally(() => {
        asked = null;
      });
    return asked;
  };
  const lagGauge = (name: string, help: string, value: (lag: Lag) => number): void => {
    const labelNames = ["projection", "partition"] as const;
    new Gauge({
      ...{ name, help, labelNames, registers },
      async collect() {
        const found = await lags();
        this.reset();
        for (const lag of found) {
          this.set({ projection: lag.projection, partition: String(lag.partition) }, value(lag));
        }
      },
    });
  };
  lagGauge("projection_lag_events", "Events not folded in yet", (lag) => lag.behindEvents);
  lagGauge("projection_lag_seconds", "Age of the oldest event not folded in yet", (lag) => lag.behindSeconds);
  const parked = new Gauge({
    name: "projection_parked_streams",
    help: "Learners set aside because an event of theirs could not be folded",
    registers,
    async collect() {
      const count = await sources.parked().catch(() => null);
      if (count === null) parked.remove();
      else parked.set(count);
    },
  });
}
