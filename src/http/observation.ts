import type { App, Services } from "./services.ts";

/**
 * A duration for each request, and a line at level debug: at the rates this server is made for, a line for each request at
 * info would cost more than the request. Errors are logged by the error handler. No header and no query string is ever logged.
 */
export function addObservation(app: App, { metrics }: Services): void {
  const logsRequests = (app.log as { isLevelEnabled?: (level: string) => boolean }).isLevelEnabled?.("debug") ?? false;
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "unmatched";
    const ms = reply.elapsedTime;
    metrics.observeRequest(request.method, route, reply.statusCode, ms / 1000);
    if (logsRequests) {
      const fields = { requestId: request.id, method: request.method, route, status: reply.statusCode, ms };
      app.log.debug({ ...fields, keyId: request.caller?.keyId }, "request answered");
    }
    done();
  });
}
