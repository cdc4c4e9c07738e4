import type { FastifyReply, FastifyRequest } from "fastify";
import { type App, addRouteHook, type OperatorServices } from "./services.ts";

/** Whether each request is logged. */
export function logsRequests(log: object): boolean {
  return (log as { isLevelEnabled?: (level: string) => boolean }).isLevelEnabled?.("debug") ?? false;
}

/**
 * A duration for each request, and a line at level debug: at the rates this server is made for, a line for each request
 * at info would cost more than the request. Errors are logged by the error handler. No header and no query string is
 * ever logged.
 */
export function addObservation(app: App, { metrics, deps: { log } }: OperatorServices): void {
  const logged = logsRequests(log);

  function observe(route: string, request: FastifyRequest, reply: FastifyReply): void {
    const ms = reply.elapsedTime;
    metrics.requests(request.method, route, reply.statusCode)(ms / 1000);
    if (!logged) return;
    const fields = { requestId: request.id, method: request.method, route, status: reply.statusCode, ms };
    log.debug({ ...fields, keyId: request.caller?.keyId }, "request answered");
  }

  // By route, with its pattern at hand: Fastify makes a new description of the route each time a request is asked for it.
  app.addHook("onRoute", (route) => {
    route.onResponse = addRouteHook(
      route.onResponse,
      (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
        observe(route.url, request, reply);
        done();
      },
    );
  });
  app.addHook("onResponse", (request, reply, done) => {
    if (request.is404) observe("unmatched", request, reply);
    done();
  });
}
