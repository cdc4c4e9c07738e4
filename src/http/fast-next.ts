import type { IncomingMessage, ServerResponse } from "node:http";
import type { NextRequest } from "../queries/next-request.ts";
import type { Json } from "../queries/rendered.ts";
import { AnswerHead } from "./answer-head.ts";
import type { Caller } from "./authentication.ts";
import { beforeFramework, sendPieces, sendText } from "./before-framework.ts";
import { createKnownCallers } from "./known-callers.ts";
import type { NextQueries } from "./next-query.ts";
import { logsRequests } from "./observation.ts";
import { sendRawProblem } from "./problem.ts";
import { dataHeaders } from "./security-headers.ts";
import type { App, Services } from "./services.ts";
import { overloaded } from "./shedding.ts";
import { hasAlready, taggedHeaders } from "./tagged.ts";

export const nextRoute = "/v1/learners/:learnerId/next";
const spanName = `GET ${nextRoute}`;
const spanAttributes = { "http.route": nextRoute };
const [start, end] = nextRoute.split(":learnerId") as [string, string];
/** Characters, by their codes, that mean themselves in a path: an id of others is read by the route. */
const isPlain = Uint8Array.from({ length: 128 }, (_, code) => (/[\w.~-]/.test(String.fromCharCode(code)) ? 1 : 0));
const idMax = 200;

/**
 * The one question that is asked most, answered before the framework sees the request: Fastify and its hooks cost as
 * much as the answer does. Only where nothing is out of the ordinary: a plain id, a query string and a key that were seen before,
 * no page of another origin. Everything else, each refusal among it, is left to the route, so there is one place
 * that says no. A test holds the two answers equal.
 */
export function addFastNext(app: App, services: Services, queries: NextQueries): void {
  const { nextItems, metrics, deps, closing, shedding } = services;
  if (logsRequests(deps.log)) return;
  const observe = metrics.requests("GET", nextRoute, 200);
  const observeUnchanged = metrics.requests("GET", nextRoute, 304);
  const callerOf = createKnownCallers(services.authenticator, () => deps.clock.now());
  const observeRefusal = metrics.requests("GET", nextRoute, 503);
  const refuse = (response: ServerResponse, startedAt: number): void => {
    sendRawProblem(response, overloaded("query"));
    observeRefusal((performance.now() - startedAt) / 1000);
  };
  const plain = new AnswerHead(200, dataHeaders);
  const tagged = new AnswerHead(200, taggedHeaders, { hasTag: true });
  const send = ({ headers }: IncomingMessage, response: ServerResponse, body: Json, startedAt: number): void => {
    const unchanged = hasAlready(headers["if-none-match"], body.etag);
    if (unchanged) sendUnchanged(response, body);
    else if (body.etag === null) sendJson(response, plain, body);
    else sendJson(response, tagged, body, body.etag);
    (unchanged ? observeUnchanged : observe)((performance.now() - startedAt) / 1000);
  };
  beforeFramework(app, (framework) => (request, response) => {
    const startedAt = performance.now();
    const question = request.method === "GET" ? questionOf(request.url ?? "", queries) : null;
    if (question === null || !mayAsk(request, question.asked, services, callerOf) || closing.aborted) {
      return framework(request, response);
    }
    deps.tracing?.name(spanName, spanAttributes);
    if (shedding.refuses("query")) return refuse(response, startedAt);
    const answer = nextItems.one(question.learnerId, question.asked);
    if (!(answer instanceof Promise)) return send(request, response, answer, startedAt);
    // What fails here fails there, where there are words for it.
    answer.then(
      (body) => send(request, response, body, startedAt),
      () => framework(request, response),
    );
  });
}

/** Whose next items are asked for, and in which words. */
interface Question {
  readonly learnerId: string;
  readonly asked: NextRequest;
}

/** Whose next items are asked for, in words that were read before; null where the route has to look at it. */
function questionOf(url: string, queries: NextQueries): Question | null {
  if (!url.startsWith(start)) return null;
  const mark = url.indexOf("?");
  const pathEnd = mark < 0 ? url.length : mark;
  if (!url.endsWith(end, pathEnd)) return null;
  const idEnd = pathEnd - end.length;
  if (idEnd <= start.length || idEnd - start.length > idMax) return null;
  for (let at = start.length; at < idEnd; at++) if (isPlain[url.charCodeAt(at)] !== 1) return null;
  const asked = queries.known(mark < 0 ? "" : url.slice(mark + 1));
  return asked === undefined ? null : { learnerId: url.slice(start.length, idEnd), asked };
}

/** Whether the key may ask this; false also where only the route can tell. */
function mayAsk(
  request: IncomingMessage,
  { trackId }: NextRequest,
  { rateLimiter, deps }: Services,
  callerOf: (request: IncomingMessage) => Caller | null,
): boolean {
  if (request.headers.origin !== undefined) return false;
  if (trackId !== null && deps.catalogue.bank(trackId) === null) return false;
  const caller = callerOf(request);
  if (caller === null) return false;
  return rateLimiter === null || rateLimiter.take(caller.keyId, deps.clock.now()) === null;
}

const unchanged = Object.entries({ ...taggedHeaders, etag: "" }).flat();

function sendJson(response: ServerResponse, head: AnswerHead, { texts, inPieces, bytes }: Json, tag?: string): void {
  if (inPieces) sendPieces(response, head, texts, bytes, tag);
  else sendText(response, head, texts.join(""), bytes, tag);
}

function sendUnchanged(response: ServerResponse, { etag }: Json): void {
  unchanged[unchanged.length - 1] = etag ?? "";
  response.writeHead(304, unchanged);
  response.end();
}
