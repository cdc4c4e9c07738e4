import { byRole, dashboard, orNone, processLegend, quantile, query, rate } from "./panels.ts";

const partition = "{{projection}} {{partition}}";
const worst = (metric: string): string => `max by (projection, partition) (${metric})`;

/** For operators: how far is everything behind, and which part holds it up? */
export const pipeline = dashboard({
  uid: "pipeline",
  title: "pipeline and lag",
  description: "From the durable commit through relay and Kafka to the rows: how far behind, how fast, what fails.",
  rows: [
    {
      title: "Lag",
      panels: [
        {
          ...{ title: "Events behind", unit: "short", badFrom: 10_000 },
          description: "Events of the log that are not folded in, by projection and partition.",
          queries: [query(worst("projection_lag_events"), partition)],
        },
        {
          ...{ title: "Seconds behind", unit: "s", badFrom: 60 },
          description: "Age of the oldest event that is not folded in: what a learner would notice.",
          queries: [query(worst("projection_lag_seconds"), partition)],
        },
        {
          ...{ title: "Time to drain", unit: "s" },
          description: "At the rates of the last minute; no line where it will not drain.",
          queries: [query(worst("projection_drain_seconds"), partition)],
        },
        {
          ...{ title: "Events in and out", unit: "ops" },
          description: "Where in is above out for long, workers are missing: `proximal scale plan`.",
          queries: [
            query(
              "sum by (projection) (max by (projection, partition) (projection_events_in_per_second))",
              "{{projection}} in",
            ),
            query(
              "sum by (projection) (max by (projection, partition) (projection_events_out_per_second))",
              "{{projection}} out",
            ),
          ],
        },
        {
          ...{ title: "Learners set aside", unit: "short", badFrom: 1, stat: true },
          description: "An event of theirs could not be folded: `proximal parked` shows which and why.",
          queries: [query(orNone("sum(projection_parked_streams)"), "")],
        },
        {
          ...{ title: "Partitions by process", unit: "short" },
          description: "How Kafka has dealt the partitions out; their sum must be all of them.",
          queries: [query(byRole("messaging_consumer_partitions"), processLegend)],
        },
      ],
    },
    {
      title: "Workers",
      panels: [
        {
          ...{ title: "Workers wanted", unit: "short" },
          description: "Of each role, by lag and forecast: `proximal scale plan` says why.",
          queries: [query("max by (role) (desired_workers)", "{{role}}")],
        },
        {
          ...{ title: "Workers there", unit: "short" },
          description: "Processes of each role that answer the scrape.",
          queries: [query("count by (role) (proximal_build_info)", "{{role}}")],
        },
      ],
    },
    {
      title: "Log",
      panels: [
        {
          ...{ title: "Time of a commit", unit: "s", badFrom: 0.1 },
          description: "One durable group commit of the log.",
          queries: [0.5, 0.99].map((q) => query(quantile(q, "append_duration_seconds"), `p${q * 100}`)),
        },
        {
          ...{ title: "Events in a commit", unit: "short" },
          description: "Batches grow with the load by themselves.",
          queries: [query(`${rate("append_batch_events_sum")} / ${rate("append_batch_events_count")}`, "mean")],
        },
        {
          ...{ title: "Waiting for the log", unit: "short" },
          description: "Events queued before their commit, and commits that failed.",
          queries: [
            query("sum(append_pending_events)", "events that wait"),
            query(rate("append_failures_total"), "failures a second"),
          ],
        },
      ],
    },
    {
      title: "Relay, Kafka, projectors",
      panels: [
        {
          ...{ title: "Messages", unit: "ops" },
          description: "Sent by the relay, taken by projectors. Repeats after a failure count again.",
          queries: [
            query(rate("messaging_client_sent_messages_total"), "sent"),
            query(rate("messaging_client_consumed_messages_total"), "taken"),
          ],
        },
        {
          ...{ title: "Time in Kafka's hands", unit: "s", badFrom: 1 },
          description: "Sending: until the brokers acknowledged. Processing: until the effect of a batch was stored.",
          queries: [
            query(quantile(0.99, "messaging_client_operation_duration_seconds"), "send p99"),
            query(quantile(0.99, "messaging_process_duration_seconds"), "process p99"),
          ],
        },
        {
          ...{ title: "Time of a batch", unit: "s", badFrom: 5 },
          description: "Folding a batch and writing its rows.",
          queries: [0.5, 0.99].map((q) => query(quantile(q, "projection_batch_duration_seconds"), `p${q * 100}`)),
        },
        {
          ...{ title: "Events folded by partition", unit: "ops" },
          description: "One that is far above the others is a hot partition: more workers do not help it.",
          queries: [query(rate("projection_events_total", "partition"), "{{partition}}")],
        },
        {
          ...{ title: "Batches that failed", unit: "ops", badFrom: 0.1 },
          description: "They are folded again; the log says why.",
          queries: [query(rate("projection_batch_failures_total", "partition"), "{{partition}}")],
        },
        {
          ...{ title: "Circuit breakers", unit: "none", badFrom: 2 },
          description: "0 closed, 1 half open, 2 open: the engine is not asked.",
          queries: [query("max by (engine) (engine_breaker_state)", "{{engine}}")],
        },
      ],
    },
  ],
});
