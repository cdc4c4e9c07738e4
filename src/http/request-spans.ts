import type { FastifyRequest } from "fastify";
import type { Tracing } from "../ports/tracing.ts";
import { beforeFramework } from "./before-framework.ts";
import { traceparentOf } from "./request-trace.ts";
import { type App, addRouteHook } from "./services.ts";

/**
 * A span for each sampled request of the API, around everything that answers it, named by method and route as OpenTelemetry wants it.
 * It holds no path and no query string: ids of learners are in them. Called after the routes were added, so that it stands
 * before whoever else takes requests from Fastify.
 */
export function addRequestSpans(app: App, tracing: Tracing | undefined): void {
  if (tracing === undefined) return;
  beforeFramework(app, (answer) => (request, response) => {
    const { method = "", url = "" } = request;
    const attributes = { "http.request.method": method };
    const span = url.startsWith("/v1/")
      ? tracing.begin({ name: method, kind: "server", attributes }, traceparentOf(request.headers))
      : null;
    if (span === null) return answer(request, response);
    response.once("close", () => {
      const { statusCode, writableFinished } = response;
      const errorType = !writableFinished ? "closed_by_client" : statusCode >= 500 ? String(statusCode) : null;
      span.end({ "http.response.status_code": statusCode }, errorType);
    });
    span.run(() => answer(request, response));
  });
}

/** Before the routes are added: each names the span of its requests. */
export function nameRequestSpans(app: App, tracing: Tracing | undefined): void {
  if (tracing === undefined) return;
  app.addHook("onRoute", (route) => {
    const { url } = route;
    const hook = (request: FastifyRequest, _reply: unknown, done: () => void): void => {
      tracing.name(`${request.method} ${url}`, { "http.route": url });
      done();
    };
    route.onRequest = addRouteHook(route.onRequest, hook);
  });
}
