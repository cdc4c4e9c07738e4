import cors from "@fastify/cors";
import type { FastifyInstance } from "fastify";
import { addAccessControl } from "./access.ts";
import { addShedding } from "./add-shedding.ts";
import { addBodyParsers } from "./body-parsers.ts";
import { addConsole } from "./console.ts";
import { addDocumentation, collectOpenApi } from "./documentation.ts";
import { addDrain } from "./drain.ts";
import { newApp } from "./new-app.ts";
import { addObservation } from "./observation.ts";
import { refuseCommands } from "./read-only.ts";
import { addRequestSpans, nameRequestSpans } from "./request-spans.ts";
import { catalogueRoutes } from "./routes/catalogue.ts";
import { eventRoutes } from "./routes/events.ts";
import { experimentRoutes } from "./routes/experiments.ts";
import { explainRoutes } from "./routes/explain.ts";
import { healthRoutes } from "./routes/health.ts";
import { interactionRoutes } from "./routes/interactions.ts";
import { lagRoutes } from "./routes/lag.ts";
import { learnerRoutes } from "./routes/learners.ts";
import { nextRoutes } from "./routes/next.ts";
import { operationRoutes } from "./routes/operations.ts";
import { policyRoutes } from "./routes/policy.ts";
import { popularRoutes } from "./routes/popular.ts";
import { processRoutes } from "./routes/processes.ts";
import { replayRoutes } from "./routes/replays.ts";
import { scalingRoutes } from "./routes/scaling.ts";
import { addSecurityHeaders } from "./security-headers.ts";
import type { OperatorDeps, ServerDeps } from "./server-deps.ts";
import { createOperatorServices, createServices } from "./services.ts";

export type { OperatorDeps, ServerDeps, ServerOptions } from "./server-deps.ts";

const allRoutes = [
  interactionRoutes,
  nextRoutes,
  learnerRoutes,
  explainRoutes,
  popularRoutes,
  catalogueRoutes,
  policyRoutes,
  eventRoutes,
  replayRoutes,
  experimentRoutes,
  lagRoutes,
  scalingRoutes,
  operationRoutes,
  processRoutes,
  healthRoutes,
];

/**
 * The server of commands and queries, warmed up and ready to listen. Closing it ends endless streams, answers what is under way, and
 * commits what was taken in.
 */
export async function buildServer(deps: ServerDeps): Promise<FastifyInstance> {
  const closing = new AbortController();
  const services = createServices(deps, closing.signal);
  const { options } = services;
  const app = newApp(deps, options);
  app.addHook("onClose", async () => {
    await services.servedLists.close();
    await services.groupCommit.close();
  });
  app.addHook("preClose", addDrain(app, deps.leaving ?? closing.signal, closing));
  addBodyParsers(app);
  addObservation(app, services);
  nameRequestSpans(app, deps.tracing);
  addSecurityHeaders(app);
  if (options.corsOrigins.length > 0) await app.register(cors, corsOptions(options.corsOrigins));
  addShedding(app, services);
  addAccessControl(app, services);
  if (options.readOnly) refuseCommands(app);
  await collectOpenApi(app);
  for (const addRoutes of allRoutes) addRoutes(app, services);
  addRequestSpans(app, deps.tracing);
  await addDocumentation(app);
  if (deps.console !== undefined) await addConsole(app, services, deps.console);
  await app.ready();
  if (options.warmUpMs > 0) await services.hotRows.warmUp(options.warmUpMs);
  return app as unknown as FastifyInstance;
}

/**
 * The server of a process that works beside the requests, ready to listen: health, metrics, and what operators do.
 */
export async function buildOperatorServer(deps: OperatorDeps): Promise<FastifyInstance> {
  const closing = new AbortController();
  const services = createOperatorServices(deps);
  const app = newApp(deps, services.options);
  app.addHook("preClose", addDrain(app, deps.leaving ?? closing.signal, closing));
  addBodyParsers(app);
  addObservation(app, services);
  nameRequestSpans(app, deps.tracing);
  addSecurityHeaders(app);
  addAccessControl(app, services);
  lagRoutes(app, services);
  scalingRoutes(app, services);
  operationRoutes(app, services);
  processRoutes(app, services);
  healthRoutes(app, services);
  addRequestSpans(app, deps.tracing);
  await app.ready();
  return app as unknown as FastifyInstance;
}

function corsOptions(origins: readonly string[]) {
  return {
    origin: origins.includes("*") ? "*" : [...origins],
    methods: ["GET", "POST", "DELETE"],
    allowedHeaders: ["authorization", "x-api-key", "content-type", "if-none-match", "traceparent"],
    exposedHeaders: ["etag", "retry-after", "x-log-head"],
    maxAge: 600,
  };
}
