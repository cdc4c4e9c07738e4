import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createEngineMetrics } from "./engine-metrics.ts";

test("what the engines told before there was a registry is in the scrape, under the names of statements", async () => {
  const metrics = createEngineMetrics();
  const observe = metrics.observePostgres("log");
  observe({ kind: "statement", name: "log.append", durationMs: 3, error: null });
  observe({ kind: "statement", name: "log.append", durationMs: 15_000, error: "57014" });
  observe({ kind: "wait", waitedMs: 5_000, outcome: "timeout" });
  metrics.watchPool("log", () => ({ max: 8, total: 5, idle: 3, waiting: 2 }));
  metrics.observeReplica({ answeredBy: "primary", why: "behind" });
  const registry = new Registry();
  metrics.register(registry);
  const text = await registry.metrics();
  const labels = 'db_system_name="postgresql",pool="log",db_query_summary="log.append"';
  expect(text).toContain(`db_client_operation_duration_seconds_count{${labels},error_type=""} 1`);
  expect(text).toContain(`db_client_operation_duration_seconds_count{${labels},error_type="57014"} 1`);
  expect(text).toContain('db_client_connection_wait_time_seconds_sum{pool="log",outcome="timeout"} 5');
  expect(text).toContain('db_client_connection_count{pool="log",state="used"} 2');
  expect(text).toContain('db_client_connection_count{pool="log",state="idle"} 3');
  expect(text).toContain('db_client_connection_pending_requests{pool="log",state="any"} 2');
  expect(text).toContain('replica_reads_total{answered_by="primary",why="behind"} 1');
});
