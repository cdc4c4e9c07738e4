import helmet from "@fastify/helmet";
import type { FastifyInstance } from "fastify";
import type { App } from "./services.ts";

/**
 * For answers that are data, never pages. Helmet's full set is for pages (see documentation.ts), and costs a third of a
 * request when set on each.
 */
export const dataHeaders = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
};

export function addSecurityHeaders(app: App): void {
  app.addHook("onRequest", (_request, reply, done) => {
    reply.headers(dataHeaders);
    done();
  });
}

/**
 * Helmet's full set for the pages of this scope, with this policy. The policy of data is taken back: it would win, since
 * helmet writes beside Fastify's own headers.
 */
export function addPageHeaders(
  pages: FastifyInstance,
  contentSecurityPolicy: { readonly useDefaults?: boolean; readonly directives: Record<string, string[] | null> },
): void {
  pages.addHook("onRequest", (_request, reply, done) => {
    reply.removeHeader("content-security-policy");
    done();
  });
  // Whether this is reached by TLS is for the proxy before it to say.
  pages.register(helmet, { global: true, contentSecurityPolicy, strictTransportSecurity: false });
}
