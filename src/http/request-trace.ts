import type { FastifyRequest } from "fastify";
import type { Tracing } from "../ports/tracing.ts";

const traceparentPattern =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]{0,100})?$/;

/** The W3C trace context a request carries, undefined where there is none or it is not well-formed. */
export function traceparentOf(headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined {
  const header = headers.traceparent;
  return typeof header === "string" && traceparentPattern.test(header) ? header : undefined;
}

/** What events say of the request that caused them: its own span where it has one, else the one that the caller sent; and the key. */
export function causeOf({ headers, caller }: FastifyRequest, tracing: Tracing | undefined) {
  return { traceparent: tracing?.traceparent() ?? traceparentOf(headers), apiKeyId: caller?.keyId };
}
