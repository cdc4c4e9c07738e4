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
