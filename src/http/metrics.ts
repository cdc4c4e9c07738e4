import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { cheapCounter, cheapCounters, cheapHistogram, type Observe } from "./cheap-metrics.ts";
import { type LagSources, registerLagMetrics } from "./lag-metrics.ts";

export interface Metrics {
  readonly registry: Registry;
  /** Takes the seconds of each request answered so. `route` is the pattern, never the path: its values must stay few. */
  requests(method: string, route: string, status: number): Observe;
  observeCommit(commit: { requests: number; callers: number; durationMs: number; failed: boolean }): void;
  /** Events whose request the queue before the log refused. */
  countRefused(events: number): void;
  countInteractions(status: "accepted" | "duplicate" | "rejected", n: number): void;
  countAnswers(source: string): void;
  /** Lists given out, chosen to be recorded. */
  countServed(outcome: "recorded" | "duplicate" | "dropped", n: number): void;
  /** What this process's memory was asked for, whether it was there, and how long ago that was read. */
  observeLookUp(kind: string, found: string, ageMs: number): void;
  /** A row was read again before it was asked for. */
  countRefresh(): void;
  watchRows(held: () => { readonly learners: number; readonly unknown: number; readonly bytes: number }): void;
}

/** Read when scraped. */
export interface MetricsSources extends LagSources {
  /** null: this process projects nothing. */
  readonly parked: (() => number) | null;
  pendingAppends(): number;
  /** Milliseconds. */
  appendsWaited(): number;
}

/** Seconds; .25 and .3 are edges, because objectives stand there. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.3, 0.5, 1, 2.5, 5, 10];

export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const duration = cheapHistogram(
    [registry],
    "http_server_request_duration_seconds",
    "Time to answer a request, http.server.request.duration of OpenTelemetry",
    durationBuckets,
  );
  const interactions = cheapCounter(registers, "interactions_total", "Interactions received, by outcome", "status");
  const answers = cheapCounter(registers, "next_answers_total", "Next-item answers by where they came from", "source");
  const served = cheapCounter(
    registers,
    "served_lists_total",
    "Lists given out, by what became of their record",
    "outcome",
  );
  const { commits, refused } = commitMetrics(registers, sources);
  if (sources.parked !== null) parkedGauge(registers, sources.parked);
  registerLagMetrics(registry, sources);
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
    countRefused: refused,
    countInteractions: interactions,
    countAnswers: answers,
    countServed: served,
    ...rowCacheMetrics(registry),
  };
}

/** Seconds; a row is relied on for five at the most. */
const hitAgeBuckets = [0.01, 0.1, 0.5, 1, 2, 5, 10];

function rowCacheMetrics(registry: Registry): Pick<Metrics, "observeLookUp" | "countRefresh" | "watchRows"> {
  const registers = [registry];
  const lookUps = cheapCounters(
    registers,
    "row_cache_lookups_total",
    "Learners' rows and popular lists asked of this process's memory: hit, absent (known to be none), joined (another's read), miss, awaited (asked for more than what holds, so for a write)",
    ["kind", "result"],
  );
  const refreshed = cheapCounters(
    registers,
    "row_cache_refreshes_total",
    "Learners' rows read again beside the requests: at the word of a write, or before their time was over",
    [],
  ).with({});
  const age = cheapHistogram(
    [registry],
    "row_cache_hit_age_seconds",
    "Since what is in memory was read, at each hit",
    hitAgeBuckets,
  );
  const series = new Map<string, Map<string, (ageMs: number) => void>>();
  function open(kind: string, result: string): (ageMs: number) => void {
    const count = lookUps.with({ kind, result });
    const observeAge = result === "hit" ? age.with({ kind }) : () => undefined;
    const observe = (ageMs: number): void => {
      count();
      observeAge(ageMs / 1000);
    };
    series.set(kind, new Map(series.get(kind)).set(result, observe));
    return observe;
  }
  return {
    observeLookUp(kind, found, ageMs) {
      (series.get(kind)?.get(found) ?? open(kind, found))(ageMs);
    },
    countRefresh: () => refreshed(),
    watchRows(held) {
      new Gauge({
        ...{ name: "row_cache_bytes", help: "Learners' rows in memory, and the answers made of them", registers },
        collect() {
          this.set(held().bytes);
        },
      });
      new Gauge({
        ...{ name: "row_cache_learners", help: "Learners in memory, with a row and without", registers },
        labelNames: ["row"] as const,
        collect() {
          const { learners, unknown } = held();
          this.set({ row: "some" }, learners);
          this.set({ row: "none" }, unknown);
        },
      });
    },
  };
}

function commitMetrics(registers: Registry[], sources: MetricsSources) {
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
  new Gauge({
    name: "append_waited_seconds",
    help: "How long the first of the events that wait for the log has waited",
    aggregator: "max",
    registers,
    collect() {
      this.set(sources.appendsWaited() / 1000);
    },
  });
  const refused = new Counter({
    name: "append_refused_events_total",
    help: "Events refused because too much waited for the log; nothing of them was stored",
    registers,
  });
  const commits: Metrics["observeCommit"] = ({ requests, durationMs, failed }) => {
    size.observe(requests);
    duration.observe(durationMs / 1000);
    if (failed) failures.inc();
  };
  return { commits, refused: (events: number) => refused.inc(events) };
}

function parkedGauge(registers: Registry[], parked: () => number): void {
  new Gauge({
    aggregator: "max",
    name: "projection_parked_streams",
    help: "Learners set aside because an event of theirs could not be folded, of the partitions that this process has",
    registers,
    collect() {
      this.set(parked());
    },
  });
}
