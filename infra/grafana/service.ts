import { byRole, dashboard, orNone, processLegend, quantile, query, rate } from "./panels.ts";

const requests = "http_server_request_duration_seconds";
const next = '{http_route="/v1/learners/:learnerId/next"}';
const post = '{http_request_method="POST",http_route="/v1/interactions"}';
const quantiles = (metric: string, selector = "") =>
  [0.5, 0.99].map((q) => query(quantile(q, metric, selector), `p${q * 100}`));

/** For whoever answers for the service: is it up, quick and fresh? */
export const service = dashboard({
  uid: "service",
  title: "service",
  description: "Whether users are served: availability, latency, freshness, and what is refused.",
  rows: [
    {
      title: "Objectives",
      panels: [
        {
          ...{ title: "Requests without a fault of ours", unit: "percentunit", badTo: 0.999, stat: true },
          description:
            "Share of the requests that were not answered with 5xx. docs/runbook.md says what to do below 99.9 %.",
          queries: [
            query(
              `1 - (${orNone(rate(`${requests}_count{http_response_status_code=~"5.."}`))}) / ${rate(`${requests}_count`)}`,
              "",
            ),
          ],
        },
        {
          ...{ title: "Answers visible in time", unit: "percentunit", badTo: 0.99, stat: true },
          description: "Share of the posted answers whose effect queries showed within PROXIMAL_FRESHNESS_WITHIN_MS.",
          queries: [
            query(`${rate("answer_to_visible_in_time_total")} / ${rate("answer_to_visible_seconds_count")}`, ""),
          ],
        },
        {
          ...{ title: "Error budget of freshness", unit: "percentunit", badTo: 0, stat: true },
          description: "What is left of it, of the last 30 days.",
          queries: [query("min(freshness_error_budget_left_ratio)", "")],
        },
      ],
    },
    {
      title: "Requests",
      panels: [
        {
          ...{ title: "Requests by route", unit: "reqps" },
          description: "All routes of all processes.",
          queries: [query(rate(`${requests}_count`, "http_route"), "{{http_route}}")],
        },
        {
          ...{ title: "Time to the next items", unit: "s", badFrom: 0.05 },
          description: "GET next, from the first byte of the request to the last of the answer.",
          queries: quantiles(requests, next),
        },
        {
          ...{ title: "Time to a durable post", unit: "s", badFrom: 0.25 },
          description: "POST interactions: includes the wait for the group commit and the commit itself.",
          queries: quantiles(requests, post),
        },
        {
          ...{ title: "Answers that are no success, by status", unit: "reqps" },
          description: "4xx are callers' faults, 503 is load that was refused or an engine away, other 5xx are ours.",
          queries: [
            query(
              orNone(rate(`${requests}_count{http_response_status_code=~"[45].."}`, "http_response_status_code")),
              "{{http_response_status_code}}",
            ),
          ],
        },
        {
          ...{ title: "Interactions by outcome", unit: "ops" },
          description: "Accepted is durable; duplicates are repeats of what was stored before.",
          queries: [query(rate("interactions_total", "status"), "{{status}}")],
        },
        {
          ...{ title: "Lists of next items by where they came from", unit: "ops" },
          description: "personal is the rule; popular and stale lists mean that rows are missing or away.",
          queries: [query(rate("next_answers_total", "source"), "{{source}}")],
        },
      ],
    },
    {
      title: "Freshness and load",
      panels: [
        {
          ...{ title: "From commit to visible", unit: "s", badFrom: 1 },
          description: "How long after its durable commit an answer shows in queries.",
          queries: quantiles("answer_to_visible_seconds"),
        },
        {
          ...{ title: "Event loop late by", unit: "s", badFrom: 0.1 },
          description: "Mean of a tenth of a second. From PROXIMAL_SHED_DELAY_MS on requests are refused by class.",
          queries: [query(byRole("http_event_loop_delay_seconds"), processLegend)],
        },
        {
          ...{ title: "Refused for load", unit: "reqps", badFrom: 1 },
          description: "Requests shed by class, and interactions refused because the log is behind.",
          queries: [
            query(orNone(rate("http_requests_shed_total")), "shed"),
            query(rate("append_refused_events_total"), "log behind"),
          ],
        },
      ],
    },
  ],
});
