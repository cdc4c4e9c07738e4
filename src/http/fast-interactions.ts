import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { preParsingHookHandler } from "fastify";
import {
  type InteractionOutcome,
  type RecordInteractionsDeps,
  recordInteractions,
} from "../commands/record-interactions.ts";
import { isJsonObject } from "../domain/json-object.ts";
import { remembered } from "../queries/remembered.ts";
import { AnswerHead } from "./answer-head.ts";
import type { Caller } from "./authentication.ts";
import { beforeFramework, sendText } from "./before-framework.ts";
import { HttpRequest } from "./http-request.ts";
import { interactionReply, statusOfSingle } from "./interaction-reply.ts";
import { readJson } from "./json-body.ts";
import { createKnownCallers } from "./known-callers.ts";
import { logsRequests } from "./observation.ts";
import { logProblem, type Problem, refusalProblem, sendRawProblem, statusOf, toProblem } from "./problem.ts";
import { dataHeaders } from "./security-headers.ts";
import type { App, Services } from "./services.ts";
import { overloaded } from "./shedding.ts";

export const interactionsRoute = "/v1/interactions";
/** A single interaction is shorter. Bytes. */
const bodyMax = 4_096;

export interface FastInteractions {
  readonly recording: RecordInteractionsDeps;
  count(outcomes: readonly InteractionOutcome[]): void;
}

/**
 * The post that comes most, one interaction, taken before the framework sees it: Fastify and its hooks cost
 * more than recording it. Only where nothing is out of the ordinary: a short JSON body of a known length, a key that is in memory,
 * no trace, no page of another origin. Everything else is left to the route, with the body where it was read already.
 * What only the command can tell (a fault, a duplicate, a conflict, a full queue) is answered here as the route does; a test
 * holds the two equal.
 *
 * Gives the hook by which the route gets a body that was read here.
 */
export function addFastInteractions(
  app: App,
  services: Services,
  { recording, count }: FastInteractions,
): preParsingHookHandler {
  const { metrics, deps, options, closing, shedding, rateLimiter } = services;
  const preParsing: preParsingHookHandler = ({ raw }, _reply, payload, done) => {
    const body = raw instanceof HttpRequest ? raw.wholeBody : null;
    done(null, body === null ? payload : Readable.from([body]));
  };
  if (logsRequests(deps.log) || options.readOnly) return preParsing;
  const callerOf = createKnownCallers(services.authenticator, () => deps.clock.now());

  const headOf = remembered(10, (status: number) => new AnswerHead(status, dataHeaders));
  const observeAccepted = metrics.requests("POST", interactionsRoute, 201);
  function observe(status: number, startedAt: number): void {
    const one = status === 201 ? observeAccepted : metrics.requests("POST", interactionsRoute, status);
    one((performance.now() - startedAt) / 1000);
  }

  function refuse(response: ServerResponse, problem: Problem, error: unknown, startedAt: number): void {
    const requestId = deps.randomId();
    logProblem(deps.log, problem, error, { requestId, method: "POST", route: interactionsRoute });
    sendRawProblem(response, problem, dataHeaders, requestId);
    observe(statusOf(problem), startedAt);
  }

  async function record(input: unknown, caller: Caller, response: ServerResponse, startedAt: number): Promise<void> {
    try {
      const outcomes = await recordInteractions(recording, [input], { apiKeyId: caller.keyId });
      count(outcomes);
      const [only] = outcomes as [InteractionOutcome];
      if (only.status === "rejected") return refuse(response, refusalProblem(only.problem), null, startedAt);
      const status = statusOfSingle(only.status);
      const text = interactionReply(outcomes);
      sendText(response, headOf(status), text, Buffer.byteLength(text));
      observe(status, startedAt);
    } catch (error) {
      refuse(response, toProblem(error as Error), error, startedAt);
    }
  }

  beforeFramework(app, (framework) => (request, response) => {
    if (request.method !== "POST" || request.url !== interactionsRoute || !(request instanceof HttpRequest))
      return framework(request, response);
    const startedAt = performance.now();
    const traced = deps.tracing?.traceparent() !== undefined;
    const length = closing.aborted || traced ? null : plainLength(request);
    const caller = length === null ? null : callerOf(request);
    if (length === null || caller === null) return framework(request, response);
    if (shedding.refuses("write")) return refuse(response, overloaded("write"), null, startedAt);
    request.takeWhole((body) => {
      const reading = readJson(body);
      // Whether it is an interaction is for the command to say, which refuses it as the route does.
      const single = reading.ok && isJsonObject(reading.value);
      if (single && (rateLimiter?.take(caller.keyId, deps.clock.now()) ?? null) === null) {
        return void record(reading.value, caller, response, startedAt);
      }
      framework(request, response);
    });
  });
  return preParsing;
}

/** Bytes of the body of a post that has nothing out of the ordinary in its head; null for any other. */
function plainLength({ headers }: IncomingMessage): number | null {
  const type = headers["content-type"];
  if (type !== "application/json" && type !== "application/json; charset=utf-8") return null;
  if (headers.origin !== undefined || headers.traceparent !== undefined || headers.expect !== undefined) return null;
  if (headers["content-encoding"] !== undefined || headers["transfer-encoding"] !== undefined) return null;
  const length = Number(headers["content-length"]);
  return length > 0 && length <= bodyMax ? length : null;
}
