import { monitorEventLoopDelay } from "node:perf_hooks";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Scope } from "../ports/api-keys.ts";
import { sendProblem } from "./problem.ts";
import { type App, addRouteHook, type OperatorServices } from "./services.ts";
import { type LoadOf, overloaded, type Shedding } from "./shedding.ts";

const measureMs = 100;
const resolutionMs = 10;

/** Before anything else of a request is looked at. Health, metrics and what operators do are never refused. */
export function addShedding(app: App, { shedding }: OperatorServices): void {
  if (shedding.limitMs === null) return;
  watchEventLoop(app, shedding.measured);
  app.addHook("onRoute", (route) => {
    const { scopes, load } = route.config ?? {};
    if (scopes === undefined) return;
    const loadOf = load ?? usualLoad(scopes, route.method);
    if (loadOf !== null) route.onRequest = addRouteHook(route.onRequest, hookOf(shedding, loadOf));
  });
}

function hookOf(shedding: Shedding, loadOf: LoadOf) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const load = loadOf(request);
    if (load !== null && shedding.refuses(load)) {
      // What is still to come of a long body would else be read to its end for nothing.
      if (load === "bulk") reply.header("connection", "close");
      sendProblem(reply, overloaded(load));
      return;
    }
    const over = load === null ? null : shedding.admitted(load);
    // Comes also where the client went away.
    if (over !== null) reply.raw.once("close", over);
    done();
  };
}

/** By who may ask, where the route does not say; null for what only operators do. */
function usualLoad(scopes: readonly Scope[], method: string | readonly string[]): LoadOf | null {
  if (scopes.includes("client")) {
    if (method !== "GET") return () => "write";
    // A question about the past folds events, whoever asks it.
    return ({ url }) => (/[?&]at=/.test(url) ? "analyst" : "query");
  }
  if (scopes.includes("author")) return () => "write";
  return scopes.includes("analyst") ? () => "analyst" : null;
}

/** By how much timers are late, on average over a tenth of a second: what each request waits before anybody looks at it. */
function watchEventLoop(app: App, measured: (delayMs: number) => void): void {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  let timer: NodeJS.Timeout | undefined;
  app.addHook("onReady", (done) => {
    histogram.enable();
    timer = setInterval(() => {
      // None in between: the loop was held up all the time.
      const meanMs = histogram.count === 0 ? measureMs : histogram.mean / 1e6;
      histogram.reset();
      measured(Math.max(0, meanMs - resolutionMs));
    }, measureMs).unref();
    done();
  });
  app.addHook("onClose", (_app, done) => {
    clearInterval(timer);
    histogram.disable();
    done();
  });
}
