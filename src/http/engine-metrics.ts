import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { cheapHistogram } from "./cheap-metrics.ts";

/** What the PostgreSQL adapter tells, see PostgresObservation. */
type Observation =
  | { readonly kind: "statement"; readonly name: string; readonly durationMs: number; readonly error: string | null }
  | { readonly kind: "wait"; readonly waitedMs: number; readonly outcome: string };

interface PoolState {
  readonly max: number;
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

/** Who answered an analyst's read, and why not the replica. */
interface ReplicaObservation {
  readonly answeredBy: "replica" | "primary";
  readonly why: string;
}

/** As a circuit breaker tells it. */
export interface BreakerObserver {
  changed(state: keyof typeof breakerStates): void;
  refused(): void;
}

const breakerStates = { closed: 0, half_open: 1, open: 2 } as const;

export interface EngineMetrics {
  /** For a pool of this name, before there is a registry: give it to createPostgres as `observe`. */
  observePostgres(pool: string): (observation: Observation) => void;
  /** For one kind of operation of another engine: told of each what it took, and the name of its error. */
  observeOperation(system: string, pool: string, operation: string): (durationMs: number, error: string | null) => void;
  /** Connections of an engine that several requests share, by state, read when scraped. */
  watchConnections(pool: string, states: () => Readonly<Record<string, number>>): void;
  /** Connections of a pool, read when scraped. */
  watchPool(pool: string, state: () => PoolState): void;
  /** Give it to openReplicaReads as `observe`. */
  observeReplica(observation: ReplicaObservation): void;
  /** For the circuit breaker before an engine of this name. */
  observeBreaker(engine: string): BreakerObserver;
  /** From now on the registry shows all of it. */
  register(registry: Registry): void;
}

/** Seconds, as of the log's own commits: .25 and .3 are edges, because objectives stand there. */
const durationBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.3, 0.5, 1, 2.5, 5, 10, 30];

/** Metrics of the engines under OpenTelemetry's names; made before the engines, registered when the server is there. */
export function createEngineMetrics(): EngineMetrics {
  const unregistered = { registers: [] };
  const pools = new Map<string, () => PoolState>();
  const shared = new Map<string, () => Readonly<Record<string, number>>>();
  const statements = cheapHistogram(
    [],
    "db_client_operation_duration_seconds",
    "Time of a statement of PostgreSQL or an operation on the rows in Redis, by its name; error_type is the SQLSTATE or the error's name, empty where it went well",
    durationBuckets,
  );
  const waits = new Histogram({
    ...unregistered,
    name: "db_client_connection_wait_time_seconds",
    help: "Time a caller waited for a connection of the pool",
    labelNames: ["pool", "outcome"] as const,
    buckets: durationBuckets,
  });
  const replicaReads = new Counter({
    ...unregistered,
    name: "replica_reads_total",
    help: "Analysts' reads by who answered, and why not the replica",
    labelNames: ["answered_by", "why"] as const,
  });
  const breakers = breakerMetrics();
  return {
    observePostgres: (pool) => (observation) => {
      if (observation.kind === "wait") {
        waits.observe({ pool, outcome: observation.outcome }, observation.waitedMs / 1000);
      } else {
        const { name, error, durationMs } = observation;
        const labels = { db_system_name: "postgresql", pool, db_query_summary: name, error_type: error ?? "" };
        statements.with(labels)(durationMs / 1000);
      }
    },
    observeOperation(system, pool, operation) {
      const labels = { db_system_name: system, pool, db_query_summary: operation };
      const fine = statements.with({ ...labels, error_type: "" });
      return (durationMs, error) => {
        if (error === null) fine(durationMs / 1000);
        else statements.with({ ...labels, error_type: error })(durationMs / 1000);
      };
    },
    watchConnections: (pool, states) => void shared.set(pool, states),
    watchPool: (pool, state) => void pools.set(pool, state),
    observeReplica: ({ answeredBy, why }) => replicaReads.inc({ answered_by: answeredBy, why }),
    observeBreaker: breakers.observe,
    register(registry) {
      for (const metric of breakers.metrics) registry.registerMetric(metric);
      registry.registerMetric(statements.metric);
      registry.registerMetric(waits);
      registry.registerMetric(replicaReads);
      for (const gauge of [...poolGauges(pools), sharedGauge(shared)]) registry.registerMetric(gauge);
    },
  };
}

function breakerMetrics() {
  const unregistered = { labelNames: ["engine"] as const, registers: [] };
  const state = new Gauge({
    ...unregistered,
    aggregator: "max",
    name: "engine_breaker_state",
    help: "Circuit breaker before the engine: 0 closed, 1 half open (one call tries it), 2 open (it is not asked)",
  });
  const opened = new Counter({
    ...unregistered,
    name: "engine_breaker_opened_total",
    help: "How often the circuit breaker opened, also after a try that failed",
  });
  const refused = new Counter({
    ...unregistered,
    name: "engine_breaker_refused_total",
    help: "Calls refused without asking the engine",
  });
  return {
    metrics: [state, opened, refused],
    observe(engine: string): BreakerObserver {
      const labels = { engine };
      state.set(labels, breakerStates.closed);
      opened.inc(labels, 0);
      refused.inc(labels, 0);
      return {
        changed(now) {
          state.set(labels, breakerStates[now]);
          if (now === "open") opened.inc(labels);
        },
        refused: () => refused.inc(labels),
      };
    },
  };
}

function sharedGauge(shared: ReadonlyMap<string, () => Readonly<Record<string, number>>>): Gauge {
  return new Gauge({
    ...{ name: "redis_connections", labelNames: ["pool", "state"], registers: [] },
    help: "Connections to servers of Redis by state; what is not ready is being made anew",
    collect() {
      this.reset();
      for (const [pool, states] of shared) {
        for (const [state, count] of Object.entries(states())) this.set({ pool, state }, count);
      }
    },
  });
}

function poolGauges(pools: ReadonlyMap<string, () => PoolState>): Gauge[] {
  const gauge = (name: string, help: string, values: (state: PoolState) => Readonly<Record<string, number>>): Gauge =>
    new Gauge({
      ...{ name, help, labelNames: ["pool", "state"], registers: [] },
      collect() {
        for (const [pool, state] of pools) {
          for (const [label, value] of Object.entries(values(state()))) this.set({ pool, state: label }, value);
        }
      },
    });
  return [
    gauge("db_client_connection_count", "Connections of the pool", ({ total, idle }) => ({ idle, used: total - idle })),
    gauge("db_client_connection_max", "Connections the pool may have", ({ max }) => ({ any: max })),
    gauge("db_client_connection_pending_requests", "Callers that wait for a connection", ({ waiting }) => ({
      any: waiting,
    })),
  ];
}
