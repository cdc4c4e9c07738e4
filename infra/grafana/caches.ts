import { byRole, dashboard, orNone, processLegend, quantile, query, rate } from "./panels.ts";

const operations = "db_client_operation_duration_seconds";
const redis = '{db_system_name="redis"}';

/** For whoever tunes memory: what is answered from where, and how Redis does. */
export const caches = dashboard({
  uid: "caches",
  title: "caches and Redis",
  description: "The memory of each process before the read models, and the read models in Redis.",
  rows: [
    {
      title: "Memory of the processes",
      panels: [
        {
          ...{ title: "Share answered from memory", unit: "percentunit", badTo: 0.5 },
          description: "Hits and learners known to have no row, of all look-ups but those that wait for a write.",
          queries: [
            query(
              `${rate('row_cache_lookups_total{result=~"hit|absent"}', "kind")} / ${rate('row_cache_lookups_total{result!="awaited"}', "kind")}`,
              "{{kind}}",
            ),
          ],
        },
        {
          ...{ title: "Look-ups by result", unit: "ops" },
          description:
            "A miss is a read of the read models; awaited: more was asked for than what is there, so it waits for a write.",
          queries: [query(rate("row_cache_lookups_total", "result"), "{{result}}")],
        },
        {
          ...{ title: "Age of what is in memory", unit: "s", badFrom: 5 },
          description: "At each hit, since it was read.",
          queries: [query(quantile(0.99, "row_cache_hit_age_seconds"), "p99")],
        },
        {
          ...{ title: "Bytes held", unit: "bytes" },
          description: "Against PROXIMAL_ROW_CACHE_MB of each process.",
          queries: [query(byRole("row_cache_bytes"), processLegend)],
        },
        {
          ...{ title: "Learners held", unit: "short" },
          description: "With a row, and known to have none.",
          queries: [query("sum by (row) (row_cache_learners)", "{{row}}")],
        },
        {
          ...{ title: "Lists given out, by what became of their record", unit: "ops" },
          description: "dropped: the queue of records was full, and nobody waited for it.",
          queries: [query(orNone(rate("served_lists_total", "outcome")), "{{outcome}}")],
        },
      ],
    },
    {
      title: "Redis",
      panels: [
        {
          ...{ title: "Operations", unit: "ops" },
          description: "get is of queries; read, write and remove are batches of projectors and jobs.",
          queries: [query(rate(`${operations}_count${redis}`, "db_query_summary"), "{{db_query_summary}}")],
        },
        {
          ...{ title: "Time of an operation, p99", unit: "s", badFrom: 0.1 },
          description: "get ends at PROXIMAL_READ_MODELS_WAIT_MS; after that queries answer from memory, marked stale.",
          queries: [query(quantile(0.99, operations, redis, "db_query_summary"), "{{db_query_summary}}")],
        },
        {
          ...{ title: "Operations that failed", unit: "ops", badFrom: 1 },
          description: "By the name of the error.",
          queries: [
            query(
              orNone(rate(`${operations}_count{db_system_name="redis",error_type!=""}`, "error_type")),
              "{{error_type}}",
            ),
          ],
        },
        {
          ...{ title: "Connections by state", unit: "short" },
          description: "What is not ready is being made anew.",
          queries: [query("sum by (pool, state) (redis_connections)", "{{pool}} {{state}}")],
        },
        {
          ...{ title: "Circuit breakers", unit: "none", badFrom: 2 },
          description: "0 closed, 1 half open, 2 open: Redis is not asked.",
          queries: [query('max by (engine) (engine_breaker_state{engine=~".*redis.*"})', "{{engine}}")],
        },
        {
          ...{ title: "Refused without asking", unit: "ops", badFrom: 1 },
          description: "Calls that an open breaker refused.",
          queries: [query(rate('engine_breaker_refused_total{engine=~".*redis.*"}', "engine"), "{{engine}}")],
        },
      ],
    },
  ],
});
