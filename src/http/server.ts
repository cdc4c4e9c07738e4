import cors from "@fastify/cors";
import Fastify, { type FastifyInstance, LogController } from "fastify";
import { validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { addAccessControl } from "./access.ts";
import { addBodyParsers } from "./body-parsers.ts";
import { addDocumentation, collectOpenApi } from "./documentation.ts";
import { addObservation } from "./observation.ts";
import { handleError, Problem, problemBody, problemContentType, sendProblem } from "./problem.ts";
import { catalogueRoutes } from "./routes/catalogue.ts";
import { eventRoutes } from "./routes/events.ts";
import { healthRoutes } from "./routes/health.ts";
import { interactionRoutes } from "./routes/interactions.ts";
import { learnerRoutes } from "./routes/learners.ts";
import { nextRoutes } from "./routes/next.ts";
import { operationRoutes } from "./routes/operations.ts";
import { popularRoutes } from "./routes/popular.ts";
import { addSecurityHeaders } from "./security-headers.ts";
import type { ServerDeps } from "./server-deps.ts";
import { type App, createServices, resolveOptions } from "./services.ts";

export type { ServerDeps, ServerOptions } from "./server-deps.ts";

const allRoutes = [
  interactionRoutes,
  nextRoutes,
  learnerRoutes,
  popularRoutes,
  catalogueRoutes,
  eventRoutes,
  operationRoutes,
  healthRoutes,
];

/** A connection that sends or takes nothing for so long is cut. Milliseconds. */
const idleMs = 60_000;
/** Ids may be 200 characters, each written as up to 12 in a path. */
const paramMax = 2_400;

/** The HTTP server, ready to listen. Closing it ends endless streams, answers what is under way, and commits what was taken in. */
export async function buildServer(deps: ServerDeps): Promise<FastifyInstance> {
  const options = resolveOptions(deps.options);
  const app = newFastify(deps, options);
  const closing = new AbortController();
  const services = createServices(deps, closing.signal);
  app.addHook("preClose", async () => closing.abort());
  app.addHook("onClose", () => services.groupCommit.close());

  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler(handleError);
  app.setNotFoundHandler((request, reply) => {
    const detail = `${request.method} ${request.url.split("?")[0]?.slice(0, 200)} is not part of this API.`;
    return sendProblem(reply, new Problem("not_found", { detail }));
  });
  addBodyParsers(app);
  addObservation(app, services);
  addSecurityHeaders(app);
  if (options.corsOrigins.length > 0) await app.register(cors, corsOptions(options.corsOrigins));
  addAccessControl(app, services);
  await collectOpenApi(app);
  for (const addRoutes of allRoutes) addRoutes(app, services);
  await addDocumentation(app);
  await app.ready();
  return app as unknown as FastifyInstance;
}

function newFastify(deps: ServerDeps, options: ReturnType<typeof resolveOptions>): App {
  let requests = 0;
  const process = deps.randomId().slice(0, 8);
  return Fastify({
    loggerInstance: deps.log,
    // Nothing here logs by request: a child logger for each would cost as much as verifying its key.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimit,
    trustProxy: options.trustProxy,
    connectionTimeout: idleMs,
    routerOptions: { maxParamLength: paramMax },
    genReqId: () => {
      requests += 1;
      return `${process}-${requests}`;
    },
    frameworkErrors: handleError,
    clientErrorHandler(error, socket) {
      if (!socket.writable) return;
      const body = JSON.stringify(
        problemBody("invalid_request", `not a valid HTTP request: ${error.code ?? "unknown"}`),
      );
      const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: ${problemContentType}\r\nconnection: close\r\n`;
      socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    },
  }).withTypeProvider<ZodTypeProvider>();
}

function corsOptions(origins: readonly string[]) {
  return {
    origin: origins.includes("*") ? "*" : [...origins],
    methods: ["GET", "POST", "DELETE"],
    allowedHeaders: ["authorization", "x-api-key", "content-type", "traceparent"],
    exposedHeaders: ["retry-after", "x-log-head"],
    maxAge: 600,
  };
}
