import { byRole, dashboard, orNone, quantile, query, rate } from "./panels.ts";

const operations = "db_client_operation_duration_seconds";
const postgresql = '{db_system_name="postgresql"}';

/** For who runs the database: as the processes see it, through PgBouncer where one stands between. */
export const postgres = dashboard({
  uid: "postgres",
  title: "PostgreSQL and PgBouncer",
  description: "Statements and connections as the processes see them, through PgBouncer where one stands between.",
  rows: [
    {
      title: "Statements",
      panels: [
        {
          ...{ title: "Statements a second", unit: "ops" },
          description: "The ten most frequent, by the name in the comment that begins each.",
          queries: [
            query(`topk(10, ${rate(`${operations}_count${postgresql}`, "db_query_summary")})`, "{{db_query_summary}}"),
          ],
        },
        {
          ...{ title: "Where the time goes", unit: "short" },
          description: "Seconds of statements in a second: connections that each kind keeps busy.",
          queries: [
            query(`topk(10, ${rate(`${operations}_sum${postgresql}`, "db_query_summary")})`, "{{db_query_summary}}"),
          ],
        },
        {
          ...{ title: "Time of a statement", unit: "s", badFrom: 1 },
          description: "All statements, by pool.",
          queries: [0.5, 0.99].map((q) => query(quantile(q, operations, postgresql, "pool"), `{{pool}} p${q * 100}`)),
        },
        {
          ...{ title: "Time of an append, p99", unit: "s", badFrom: 0.25 },
          description: "The statement that makes posts durable.",
          queries: [query(quantile(0.99, operations, '{db_query_summary="log.append"}'), "log.append")],
        },
        {
          ...{ title: "Statements that failed", unit: "ops", badFrom: 0.1 },
          description:
            "By SQLSTATE: 40001 and 40P01 are tried again, 57014 took too long, connection means the server was not there.",
          queries: [
            query(
              orNone(rate(`${operations}_count{db_system_name="postgresql",error_type!=""}`, "error_type")),
              "{{error_type}}",
            ),
          ],
        },
        {
          ...{ title: "Circuit breaker", unit: "none", badFrom: 2 },
          description: "0 closed, 1 half open, 2 open: the server is not asked.",
          queries: [query('max by (engine) (engine_breaker_state{engine=~"postgresql.*"})', "{{engine}}")],
        },
      ],
    },
    {
      title: "Connections",
      panels: [
        {
          ...{ title: "Connections in use", unit: "short" },
          description: "Of each process and pool.",
          queries: [query(byRole('db_client_connection_count{state="used"}'), "{{role}} {{instance}} {{pool}}")],
        },
        {
          ...{ title: "Share of the pool in use", unit: "percentunit", badFrom: 0.9 },
          description: "Near 1 for long: statements wait for a connection, see the panels beside.",
          queries: [
            query(
              'sum by (instance, pool) (db_client_connection_count{state="used"}) / sum by (instance, pool) (db_client_connection_max)',
              "{{instance}} {{pool}}",
            ),
          ],
        },
        {
          ...{ title: "Callers that wait for a connection", unit: "short", badFrom: 5 },
          description: "Of each process. A pool that is too small, PgBouncer that has none left, or slow statements.",
          queries: [query(byRole("db_client_connection_pending_requests"), "{{role}} {{instance}} {{pool}}")],
        },
        {
          ...{ title: "Wait for a connection, p99", unit: "s", badFrom: 0.1 },
          description: "Through PgBouncer: the time until a connection to it was free or made.",
          queries: [query(quantile(0.99, "db_client_connection_wait_time_seconds", "", "pool"), "{{pool}}")],
        },
        {
          ...{ title: "Waits by outcome", unit: "ops" },
          description: "What is not acquired was given up: the pool's limit of time or of waiters.",
          queries: [query(rate("db_client_connection_wait_time_seconds_count", "outcome"), "{{outcome}}")],
        },
        {
          ...{ title: "Analysts' reads by who answered", unit: "ops" },
          description: "Where a replica is set: primary means that it was behind or away.",
          queries: [query(orNone(rate("replica_reads_total", "answered_by, why")), "{{answered_by}} {{why}}")],
        },
      ],
    },
  ],
});
