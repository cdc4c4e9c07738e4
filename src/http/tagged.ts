import type { FastifyReply, FastifyRequest } from "fastify";
import type { Json } from "../queries/rendered.ts";
import { dataHeaders } from "./security-headers.ts";

/**
 * Answers that have a tag may be kept by the client that asked, and by nobody else; it asks again each time whether they
 * still hold.
 */
export const taggedHeaders = { ...dataHeaders, "cache-control": "private, no-cache" };

/** Whether a client that presents this If-None-Match has the answer already; compared weakly (RFC 9110, 13.1.2). */
export function hasAlready(ifNoneMatch: string | undefined, etag: string | null): boolean {
  if (ifNoneMatch === undefined || etag === null) return false;
  if (ifNoneMatch === etag || ifNoneMatch.trim() === "*") return true;
  const opaque = opaqueOf(etag);
  return ifNoneMatch.split(",").some((one) => opaqueOf(one.trim()) === opaque);
}

const opaqueOf = (tag: string): string => (tag.startsWith("W/") ? tag.slice(2) : tag);

/** The answer, or 304 where the client has it. `caching` says who may keep it; without, only who asked. */
export function sendTagged(
  request: FastifyRequest,
  reply: FastifyReply,
  { texts, etag }: Json,
  caching: Readonly<Record<string, string>> = { "cache-control": taggedHeaders["cache-control"] },
): never {
  reply.header("content-type", "application/json; charset=utf-8");
  if (etag === null) return reply.send(texts.join("")) as never;
  reply.headers({ ...caching, etag });
  if (!hasAlready(request.headers["if-none-match"], etag)) return reply.send(texts.join("")) as never;
  return reply.status(304).removeHeader("content-type").send() as never;
}
