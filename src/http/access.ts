import type { FastifyReply, FastifyRequest } from "fastify";
import { type Caller, mayCall, presentedKey } from "./authentication.ts";
import { Problem } from "./problem.ts";
import { createRateLimiter, type RateLimiter } from "./rate-limit.ts";
import type { App, Services } from "./services.ts";

type Done = (error?: Error) => void;

/** Before anything else of a request is read: whose key it is, what it may do, and how often. */
export function addAccessControl(app: App, { authenticator, options, deps }: Services): void {
  const { rateLimitPerMinute } = options;
  const limiter = rateLimitPerMinute === null ? null : createRateLimiter(rateLimitPerMinute);
  app.decorateRequest("caller", null);
  // A callback, not a promise: a key in memory is verified without giving up this turn of the event loop.
  app.addHook("onRequest", (request: FastifyRequest, _reply: FastifyReply, done: Done) => {
    const { scopes } = request.routeOptions.config;
    if (scopes === undefined) return done();
    const key = presentedKey(request.headers);
    if (key === null) {
      return done(new Problem("unauthenticated", { detail: "Send an API key: Authorization: Bearer pxl_..." }));
    }
    const admit = (caller: Caller | null): void => done(refusalOf(request, caller, limiter, deps.clock.now()));
    const caller = authenticator.verify(key);
    if (!(caller instanceof Promise)) return admit(caller);
    caller.then(admit, (error: Error) => {
      request.server.log.warn({ requestId: request.id, err: error }, "the key store does not answer");
      done(new Problem("not_ready", { detail: "API keys cannot be verified just now.", retryAfterSeconds: 1 }));
    });
  });
}

function refusalOf(
  request: FastifyRequest,
  caller: Caller | null,
  limiter: RateLimiter | null,
  now: number,
): Problem | undefined {
  if (caller === null) {
    return new Problem("unauthenticated", { detail: "This API key is unknown, revoked or expired." });
  }
  const scopes = request.routeOptions.config.scopes ?? [];
  if (!mayCall(caller, scopes)) {
    return new Problem("forbidden", { detail: `This needs a key with the scope ${scopes.join(" or ")}.` });
  }
  request.caller = caller;
  const wait = limiter?.take(caller.keyId, now) ?? null;
  if (wait === null) return undefined;
  return new Problem("rate_limited", { detail: `Try again in ${wait} s.`, retryAfterSeconds: wait });
}
