import { dashboard, orNone, quantile, query, rate } from "./panels.ts";

const queueOf = (metric: string): string => `max by (queue) (${metric})`;

/** For whoever waits for exports and reports. */
export const jobs = dashboard({
  uid: "jobs",
  title: "jobs",
  description: "Background jobs and analysts' replays: what waits, what runs, how long it takes, what failed.",
  rows: [
    {
      title: "Queues",
      panels: [
        {
          ...{ title: "Not begun", unit: "short", badFrom: 100 },
          description: "Jobs that wait, are delayed, or come first.",
          queries: [query(queueOf("job_queue_backlog_jobs"), "{{queue}}")],
        },
        {
          ...{ title: "The oldest has waited", unit: "s", badFrom: 300 },
          description: "For long: no process of the role jobs runs, or all slots are taken.",
          queries: [query(queueOf("job_queue_oldest_waiting_seconds"), "{{queue}}")],
        },
        {
          ...{ title: "Jobs by state", unit: "short" },
          description: "As BullMQ counts them, over all processes.",
          queries: [query("max by (queue, state) (job_queue_jobs)", "{{queue}} {{state}}")],
        },
      ],
    },
    {
      title: "Work",
      panels: [
        {
          ...{ title: "Tries by outcome", unit: "ops" },
          description: "handed_over: the worker had to go, another goes on.",
          queries: [query(rate("job_duration_seconds_count", "job, outcome"), "{{job}} {{outcome}}")],
        },
        {
          ...{ title: "Time of a try, p99", unit: "s" },
          description: "By job.",
          queries: [query(quantile(0.99, "job_duration_seconds", "", "job"), "{{job}}")],
        },
        {
          ...{ title: "Running now", unit: "short" },
          description: "Against PROXIMAL_JOBS_CONCURRENCY of each process.",
          queries: [query("sum by (job) (jobs_running)", "{{job}}")],
        },
      ],
    },
    {
      title: "Replays",
      panels: [
        {
          ...{ title: "Replays by state", unit: "short" },
          description: "Exports, reports and what-ifs that are kept.",
          queries: [query(orNone("max by (state) (replays)"), "{{state}}")],
        },
        {
          ...{ title: "The oldest has waited", unit: "s", badFrom: 600 },
          description: "Replays that are queued.",
          queries: [query("max(replays_oldest_queued_seconds)", "")],
        },
        {
          ...{ title: "Files kept", unit: "bytes" },
          description: "Results; they are removed after PROXIMAL_REPLAY_RETENTION_DAYS.",
          queries: [query("max(replay_files_bytes)", "")],
        },
      ],
    },
  ],
});
