import { randomUUID } from "node:crypto";
import { Counter, type Registry } from "prom-client";
import type { OpenTelemetryTracing, TracingOptions } from "../../adapters/tracing/opentelemetry.ts";
import type { Log } from "../../ports/log.ts";
import type { Config } from "../config.ts";
import { version } from "../version.ts";

export interface Traces {
  readonly tracing: OpenTelemetryTracing;
  /** From now on trouble with the collector is told there. */
  reportTo(log: Log): void;
  register(registry: Registry): void;
}

/** What a process traces by; undefined, with nothing loaded and nothing made, where PROXIMAL_TRACE_SAMPLE is 0. `exporter`: instead of OTLP. */
export async function openTraces(config: Config, exporter?: TracingOptions["exporter"]): Promise<Traces | undefined> {
  if (config.traceSample === 0) return undefined;
  const { createTracing, otlpExporter } = await import("../../adapters/tracing/opentelemetry.ts");
  const exported = new Counter({
    name: "otel_sdk_exporter_span_exported_total",
    help: "Spans given to the collector of traces, by what became of them",
    labelNames: ["outcome"] as const,
    registers: [],
  });
  let log: Log | null = null;
  let failing = false;
  const tracing = createTracing({
    ratio: config.traceSample,
    exporter: exporter ?? otlpExporter(config.traceEndpoint, config.traceHeaders),
    resource: {
      ...{ "service.name": "proximal", "service.version": version(), "service.instance.id": randomUUID() },
      "proximal.role": config.role,
    },
    onExport({ spans, failed }) {
      exported.inc({ outcome: failed ? "failed" : "ok" }, spans);
      // An outage is told when it begins and when it ends.
      if (failed && !failing)
        log?.warn({ spans }, "the collector of traces takes no spans: they are lost until it does");
      if (!failed && failing) log?.info({}, "the collector of traces takes spans again");
      failing = failed;
    },
  });
  return {
    tracing,
    reportTo(to) {
      log = to;
    },
    register: (registry) => registry.registerMetric(exported),
  };
}
