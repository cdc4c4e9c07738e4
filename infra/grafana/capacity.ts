import { byRole, dashboard, processLegend, query, rate } from "./panels.ts";

const cpu = "rate(process_cpu_seconds_total[$__rate_interval])";

const cpuOf = (roles: string): string =>
  `sum((${cpu}) * on (instance) group_left (role) proximal_build_info{role=~"${roles}"})`;

/** For whoever plans: what runs out first? */
export const capacity = dashboard({
  uid: "capacity",
  title: "capacity",
  description:
    "What each process uses of processor, memory, event loop, disk and certificates, and what a unit of work costs.",
  rows: [
    {
      title: "Processes",
      panels: [
        {
          ...{ title: "Processors in use", unit: "short" },
          description:
            "A process of one thread of JavaScript is at its end near 1; the trainer's and the rebuild's threads come on top.",
          queries: [query(byRole(cpu), processLegend)],
        },
        {
          ...{ title: "Event loop in use", unit: "percentunit", badFrom: 0.9 },
          description: "Above .7 latency grows fast: add a process before that.",
          queries: [query(byRole("nodejs_eventloop_utilization_ratio"), processLegend)],
        },
        {
          ...{ title: "Event loop delay, p99", unit: "s", badFrom: 0.1 },
          description: "Of the timer that Node measures it by.",
          queries: [query(byRole("nodejs_eventloop_lag_p99_seconds"), processLegend)],
        },
        {
          ...{ title: "Resident memory", unit: "bytes" },
          description: "What the machine gives the process.",
          queries: [query(byRole("process_resident_memory_bytes"), processLegend)],
        },
        {
          ...{ title: "Heap in use", unit: "bytes" },
          description: "Of JavaScript.",
          queries: [query(byRole("nodejs_heap_size_used_bytes"), processLegend)],
        },
        {
          ...{ title: "Time in garbage collection", unit: "percentunit", badFrom: 0.1 },
          description: "Of each second.",
          queries: [
            query(byRole("sum by (instance) (rate(nodejs_gc_duration_seconds_sum[$__rate_interval]))"), processLegend),
          ],
        },
      ],
    },
    {
      title: "What work costs",
      panels: [
        {
          ...{ title: "Requests for a processor second", unit: "short" },
          description: "Of processes that answer: requests of all kinds over their processor time.",
          queries: [query(`${rate("http_server_request_duration_seconds_count")} / ${cpuOf("all|api|query")}`, "")],
        },
        {
          ...{ title: "Events folded for a processor second", unit: "short" },
          description: "Of processes that project.",
          queries: [query(`${rate("projection_events_total")} / ${cpuOf("all|projector")}`, "")],
        },
        {
          ...{ title: "Processes by role and version", unit: "short" },
          description: "During a rollout there are two versions of a role.",
          queries: [query("count by (role, version) (proximal_build_info)", "{{role}} {{version}}")],
        },
      ],
    },
    {
      title: "What runs out without a word",
      panels: [
        {
          ...{ title: "Disk free", unit: "percentunit", badTo: 0.15 },
          description: "Of the folders that processes write to.",
          queries: [
            query("min by (instance, folder) (folder_free_bytes / folder_size_bytes)", "{{instance}} {{folder}}"),
          ],
        },
        {
          ...{ title: "Certificates end in", unit: "dtdurations", badTo: 14 * 86_400 },
          description: "Of the files that settings name; none where TLS is not used.",
          queries: [query("min by (setting) (tls_certificate_not_after_timestamp_seconds) - time()", "{{setting}}")],
        },
        {
          ...{ title: "Files open", unit: "percentunit", badFrom: 0.8 },
          description: "Connections are files too.",
          queries: [query(byRole("process_open_fds / process_max_fds"), processLegend)],
        },
      ],
    },
  ],
});
