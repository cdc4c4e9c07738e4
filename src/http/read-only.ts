import type { FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "./problem.ts";
import { type App, addRouteHook } from "./services.ts";

/** Questions whose words do not fit into a URL. */
const postsThatAsk: readonly string[] = ["/v1/next"];
const reads: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/**
 * A server that writes nothing to the log: commands are refused before anything of them is read. Must be added before
 * the routes. Replays read the log only. What operators do with a projector is refused by the routes themselves where there is none.
 */
export function refuseCommands(app: App): void {
  app.addHook("onRoute", (route) => {
    const methods = Array.isArray(route.method) ? route.method : [route.method];
    if (methods.every((method) => reads.includes(method))) return;
    if (postsThatAsk.includes(route.url) || /^\/v1\/(ops|replays)\b/.test(route.url)) return;
    route.onRequest = addRouteHook(
      route.onRequest,
      (_request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
        done(
          new Problem("wrong_role", {
            detail: "This process answers queries only; send commands to one with the role api.",
          }),
        );
      },
    );
  });
}
