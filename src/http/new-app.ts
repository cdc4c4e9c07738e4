import { Readable } from "node:stream";
import Fastify, { LogController } from "fastify";
import { validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { HttpRequest } from "./http-request.ts";
import { handleError, Problem, problemBody, problemContentType, sendProblem } from "./problem.ts";
import type { OperatorDeps } from "./server-deps.ts";
import type { App, ResolvedOptions } from "./services.ts";

/** A connection that sends or takes nothing for so long is cut. Milliseconds. */
const idleMs = 60_000;
/** Ids may be 200 characters, each written as up to 12 in a path. */
const paramMax = 2_400;

/** Fastify as every server here has it: schemas by zod, errors as problems, no line of log for each request. */
export function newApp(deps: Pick<OperatorDeps, "log" | "randomId">, options: ResolvedOptions): App {
  const app = newFastify(deps, options);
  app.addHook("preParsing", (request, _reply, payload, done) => {
    // A body that was promised by its type alone is read as one of no bytes: see optimizeEmptyRequests below.
    const isOver = request.raw.readableEnded && request.headers["content-type"] !== undefined;
    done(null, isOver ? Readable.from([]) : payload);
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler(handleError);
  app.setNotFoundHandler((request, reply) => {
    const detail = `${request.method} ${request.url.split("?")[0]?.slice(0, 200)} is not part of this API.`;
    return sendProblem(reply, new Problem("not_found", { detail }));
  });
  return app;
}

function newFastify(deps: Pick<OperatorDeps, "log" | "randomId">, options: ResolvedOptions): App {
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
    // The stream of a body that does not come is over from the start: making it, and ending it, takes a tenth of a question.
    http: { optimizeEmptyRequests: true, IncomingMessage: HttpRequest },
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
