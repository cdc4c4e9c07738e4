import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { z } from "zod";

/** A span as the collector got it. */
export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** null: the first of its trace. */
  readonly parentId: string | null;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Of the process. */
  readonly resource: Readonly<Record<string, string | number | boolean>>;
  /** Ids of spans. */
  readonly links: readonly string[];
  readonly failed: boolean;
}

export interface OtlpCollector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** Everything it was sent, as text. */
  readonly received: readonly string[];
  /** Headers of the last request. */
  headers(): Readonly<Record<string, string | string[] | undefined>>;
  /** From now on it refuses, or takes spans again. */
  refuse(refusing: boolean): void;
  stop(): Promise<void>;
}

const attributeSchema = z.object({
  key: z.string(),
  value: z.union([
    z.object({ stringValue: z.string() }).transform((v) => v.stringValue),
    z.object({ intValue: z.coerce.number() }).transform((v) => v.intValue),
    z.object({ doubleValue: z.number() }).transform((v) => v.doubleValue),
    z.object({ boolValue: z.boolean() }).transform((v) => v.boolValue),
  ]),
});
const attributesSchema = z
  .array(attributeSchema)
  .default([])
  .transform((all) => Object.fromEntries(all.map(({ key, value }) => [key, value])));
const spanSchema = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  attributes: attributesSchema,
  links: z.array(z.object({ spanId: z.string() })).default([]),
  status: z.object({ code: z.number().optional() }).default({}),
});
const requestSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: attributesSchema }),
      scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })),
    }),
  ),
});

/** A collector of traces in this process: OTLP over HTTP, in JSON. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: CollectedSpan[] = [];
  const received: string[] = [];
  let headers: Readonly<Record<string, string | string[] | undefined>> = {};
  let refusing = false;
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      headers = request.headers;
      response.statusCode = refusing ? 400 : 200;
      response.setHeader("content-type", "application/json").end("{}");
      if (refusing || request.url !== "/v1/traces") return;
      received.push(JSON.stringify(body));
      spans.push(...spansOf(body));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    received,
    headers: () => headers,
    refuse(now) {
      refusing = now;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function spansOf(body: unknown): CollectedSpan[] {
  return requestSchema.parse(body).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ parentSpanId, links, status, ...span }) => ({
        ...span,
        parentId: parentSpanId === undefined || parentSpanId === "" ? null : parentSpanId,
        resource: resource.attributes,
        links: links.map(({ spanId }) => spanId),
        failed: status.code === 2,
      })),
    ),
  );
}
