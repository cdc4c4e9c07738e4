import type { FastifyReply, FastifyRequest } from "fastify";
import type { Scope } from "../ports/api-keys.ts";
import { type Caller, mayCall, presentedKey } from "./authentication.ts";
import { Problem } from "./problem.ts";
import { type App, addRouteHook, type OperatorServices } from "./services.ts";

type Done = (error?: Error) => void;

/** Before anything else of a request is read: whose key it is, what it may do, and how often. For each route with scopes. */
export function addAccessControl(app: App, { authenticator, rateLimiter, deps }: OperatorServices): void {
  const { clock, log } = deps;

  function refusal(request: FastifyRequest, scopes: readonly Scope[], caller: Caller | null): Problem | undefined {
    if (caller === null) {
      return new Problem("unauthenticated", { detail: "This API key is unknown, revoked or expired." });
    }
    if (!mayCall(caller, scopes)) {
      return new Problem("forbidden", { detail: `This needs a key with the scope ${scopes.join(" or ")}.` });
    }
    request.caller = caller;
    const wait = rateLimiter?.take(caller.keyId, clock.now()) ?? null;
    if (wait === null) return undefined;
    return new Problem("rate_limited", { detail: `Try again in ${wait} s.`, retryAfterSeconds: wait });
  }

  app.decorateRequest("caller", null);
  app.addHook("onRoute", (route) => {
    const scopes = route.config?.scopes;
    if (scopes === undefined) return;
    // A callback, not a promise: a key in memory is verified without giving up this turn of the event loop.
    route.onRequest = addRouteHook(route.onRequest, (request: FastifyRequest, _reply: FastifyReply, done: Done) => {
      const key = presentedKey(request.headers);
      if (key === null) {
        return done(new Problem("unauthenticated", { detail: "Send an API key: Authorization: Bearer pxl_..." }));
      }
      const caller = authenticator.verify(key);
      if (!(caller instanceof Promise)) return done(refusal(request, scopes, caller));
      caller.then(
        (found) => done(refusal(request, scopes, found)),
        (error: Error) => {
          log.warn({ requestId: request.id, err: error }, "the key store does not answer");
          done(new Problem("not_ready", { detail: "API keys cannot be verified just now.", retryAfterSeconds: 1 }));
        },
      );
    });
  });
}
