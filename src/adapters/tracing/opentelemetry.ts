import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TimeInput,
  trace,
} from "@opentelemetry/api";
import { ExportResultCode, parseTraceParent } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { SpanStart, Tracing } from "../../ports/tracing.ts";

export interface TracingOptions {
  /** Share of the traces begun here that are sampled, 0..1. Where a caller began one, the caller has decided. */
  readonly ratio: number;
  readonly exporter: SpanExporter;
  /** Of the process: service.name and so on. */
  readonly resource: Readonly<Record<string, string>>;
  /** Spans wait so long for others to be sent with them, milliseconds. Default 1,000. */
  readonly delayMs?: number;
  /** Told what became of each batch of spans. */
  readonly onExport?: (outcome: { readonly spans: number; readonly failed: boolean }) => void;
}

export interface OpenTelemetryTracing extends Tracing {
  /** Ids for a line of the log, {} where nothing is active. */
  logFields(): { readonly trace_id?: string; readonly span_id?: string };
  /** Sends what waits, within a bounded time. Idempotent. */
  close(): Promise<void>;
}

/** Traces of one piece of work, at the most: beyond it the others do not show it. */
const tracesMax = 128;
/** Spans within one piece of work, at the most: a request that reads a whole log has no end of statements. */
const spansMax = 1_000;
/** How long the collector may take for one batch of spans. */
const exportMs = 3_000;

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/** Where spans go: a collector that takes OTLP over HTTP, by its base URL. */
export function otlpExporter(url: string, headers: Readonly<Record<string, string>>): SpanExporter {
  const base = url.endsWith("/") ? url.slice(0, -1) : url;
  return new OTLPTraceExporter({ url: `${base}/v1/traces`, headers: { ...headers }, timeoutMillis: exportMs });
}

/**
 * Nothing here is global, and nothing is patched: spans are where the program asks for them. What is active is kept by
 * AsyncLocalStorage; it is several spans where the work of a batch serves several traces.
 */
export function createTracing(options: TracingOptions): OpenTelemetryTracing {
  const exporter = reporting(options.exporter, options.onExport);
  const provider = new TracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.ratio) }),
    resource: resourceFromAttributes(options.resource),
    spanProcessors: [
      new BatchSpanProcessor({
        ...{ exporter, scheduledDelayMillis: options.delayMs ?? 1_000, exportTimeoutMillis: exportMs },
      }),
    ],
  });
  const tracer = provider.getTracer("proximal");
  const storage = new AsyncLocalStorage<Active>();
  let closed: Promise<void> | null = null;

  const start = ({ name, kind, attributes = {} }: SpanStart, parent: Context, more: More = {}): Span =>
    tracer.startSpan(name, { ...(kind && { kind: kinds[kind] }), attributes, ...more }, parent);

  /** None within what has ended: what a request began in the background is no part of it. */
  function children(span: SpanStart, more: More = {}): Span[] {
    const active = storage.getStore();
    if (active === undefined || active.budget.left <= 0) return [];
    const open = active.spans.filter((parent) => parent.isRecording());
    active.budget.left -= open.length;
    return open.map((parent) => start(span, trace.setSpan(ROOT_CONTEXT, parent), more));
  }

  /** The first says whose work it was; the others link to it. */
  function inEach(contexts: readonly Context[], span: SpanStart): Span[] {
    const [first, ...others] = contexts;
    if (first === undefined) return [];
    const shown = start(span, first);
    const links: Link[] = [{ context: shown.spanContext() }];
    return [shown, ...others.map((context) => start(span, context, { links }))];
  }

  async function ending<T>(spans: readonly Span[], active: Active, work: () => Promise<T>): Promise<T> {
    try {
      const result = await storage.run(active, work);
      for (const span of spans) span.end();
      return result;
    } catch (error) {
      for (const span of spans) failed(span, errorTypeOf(error)).end();
      throw error;
    }
  }

  return {
    begin(span, traceparent) {
      const begun = start(span, contextOf(traceparent) ?? ROOT_CONTEXT);
      if (!begun.isRecording()) return null;
      return {
        run: (work) => storage.run(activeOf([begun]), work),
        end: (attributes, errorType) => failed(begun.setAttributes(attributes), errorType).end(),
      };
    },
    within(span, work) {
      const spans = children(span);
      const budget = storage.getStore()?.budget;
      return spans.length === 0 || budget === undefined ? work() : ending(spans, { spans, budget }, work);
    },
    withinEach(traceparents, span, work) {
      const spans = inEach(sampledContexts(traceparents), span);
      // Without any, what happens to be active here has no part in it either.
      if (spans.length === 0 && storage.getStore() === undefined) return work();
      return ending(spans, activeOf(spans), work);
    },
    ended(span, durationMs, errorType) {
      const now = Date.now();
      for (const one of children(span, { startTime: now - durationMs })) failed(one, errorType).end(now);
    },
    name(name, attributes) {
      for (const span of storage.getStore()?.spans ?? []) span.updateName(name).setAttributes(attributes);
    },
    traceparent() {
      const [span] = storage.getStore()?.spans ?? [];
      return span === undefined ? undefined : headerOf(span);
    },
    logFields() {
      const context = storage.getStore()?.spans[0]?.spanContext();
      return context === undefined ? {} : { trace_id: context.traceId, span_id: context.spanId };
    },
    close() {
      closed ??= provider.shutdown().catch(() => undefined);
      return closed;
    },
  };
}

/** Whose work is being done, in each of the traces that it is done for. */
interface Active {
  readonly spans: readonly Span[];
  /** Spans that may still be begun within. */
  readonly budget: { left: number };
}

const activeOf = (spans: readonly Span[]): Active => ({ spans, budget: { left: spansMax } });

interface More {
  readonly links?: Link[];
  readonly startTime?: TimeInput;
}

/** The type and no message: a message may hold what a caller wrote. */
function failed(span: Span, errorType: string | null): Span {
  if (errorType === null) return span;
  return span.setAttribute("error.type", errorType).setStatus({ code: SpanStatusCode.ERROR });
}

const errorTypeOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

const sampledFlag = 1;

function headerOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}

function contextOf(traceparent: string | undefined): Context | null {
  const parent = traceparent === undefined ? null : parseTraceParent(traceparent);
  return parent === null ? null : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
}

/** One for each trace context that is sampled. */
function sampledContexts(traceparents: Iterable<string | undefined>): Context[] {
  const seen = new Set<string>();
  const contexts: Context[] = [];
  for (const traceparent of traceparents) {
    if (traceparent === undefined || seen.has(traceparent)) continue;
    seen.add(traceparent);
    const context = contextOf(traceparent);
    const flags = context === null ? 0 : (trace.getSpanContext(context)?.traceFlags ?? 0);
    if (context !== null && (flags & sampledFlag) !== 0) contexts.push(context);
    if (contexts.length === tracesMax) break;
  }
  return contexts;
}

function reporting(exporter: SpanExporter, onExport: TracingOptions["onExport"]): SpanExporter {
  if (onExport === undefined) return exporter;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        onExport({ spans: spans.length, failed: result.code !== ExportResultCode.SUCCESS });
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
