import type { ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { LogBusy } from "../commands/group-commit.ts";
import { type FieldProblem, type Refusal, summaryOf } from "../commands/refusal.ts";
import { LogNotAsked, LogUnavailable } from "../ports/event-store.ts";
import { ReadModelsUnavailable } from "../ports/read-models.ts";
import { TooManyRetries } from "../projections/parking.ts";
import { NobodyAnswers } from "../workers/retry-here.ts";

/**
 * Every error that this API answers with: RFC 9457 problem details with a stable `code`. This file is the only map
 * from an error to a status. docs/problems.md explains each code, and a test holds the two together.
 */
export const problems = {
  invalid_request: { status: 400, title: "A parameter or field of the request is wrong" },
  malformed_json: { status: 400, title: "The body is not the JSON it says it is" },
  unauthenticated: { status: 401, title: "No valid API key" },
  forbidden: { status: 403, title: "The API key has not the scope for this" },
  not_found: { status: 404, title: "There is no such resource" },
  conflict: { status: 409, title: "It was changed meanwhile" },
  interaction_conflict: { status: 409, title: "This interaction id was used for something else" },
  idempotency_conflict: { status: 409, title: "This Idempotency-Key was used for something else" },
  replay_not_done: { status: 409, title: "The replay is not done" },
  payload_too_large: { status: 413, title: "The body is too large" },
  too_many: { status: 413, title: "Too many in one request" },
  unsupported_media_type: { status: 415, title: "The body has a content type that is not read here" },
  wrong_role: { status: 421, title: "This process does not do this" },
  invalid_interaction: { status: 422, title: "The interaction cannot be recorded as it is" },
  invalid_item: { status: 422, title: "The item cannot be published as it is" },
  invalid_skill: { status: 422, title: "The skill cannot be defined as it is" },
  invalid_track: { status: 422, title: "The track cannot be defined as it is" },
  unknown_item: { status: 422, title: "It names an item that nobody published" },
  unknown_skill: { status: 422, title: "It names a skill that nobody defined" },
  contradictory_policy: { status: 422, title: "The policy of a track contradicts itself" },
  experiment_taken: { status: 422, title: "An experiment of this id belongs to another track" },
  experiment_changed: { status: 422, title: "A running or ended experiment would become another one" },
  too_much_history: { status: 422, title: "It would take too many events to answer at once" },
  skill_cycle: { status: 422, title: "A skill would be its own prerequisite" },
  rate_limited: { status: 429, title: "Too many requests with this API key" },
  internal: { status: 500, title: "A fault on our side" },
  overloaded: { status: 503, title: "Too much to do just now" },
  busy: { status: 503, title: "Too much is waiting for the log" },
  log_circuit_open: { status: 503, title: "The event log failed just now and is not asked for a moment" },
  log_unavailable: { status: 503, title: "The event log does not answer" },
  read_models_unavailable: { status: 503, title: "The read models do not answer" },
  too_many_replays: { status: 503, title: "Too many replays wait" },
  not_ready: { status: 503, title: "Not ready to serve" },
} as const;

export type ProblemCode = keyof typeof problems;

export interface ProblemDetails {
  readonly detail: string;
  readonly errors?: readonly FieldProblem[];
  readonly retryAfterSeconds?: number;
}

/** Thrown by routes to end a request with a problem. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly errors: readonly FieldProblem[];
  readonly retryAfterSeconds: number | null;
  constructor(code: ProblemCode, { detail, errors = [], retryAfterSeconds }: ProblemDetails) {
    super(detail);
    this.code = code;
    this.errors = errors;
    this.retryAfterSeconds = retryAfterSeconds ?? null;
  }
}

/** A parameter that is not as it should be. */
export function invalidField(path: string, message: string): Problem {
  return new Problem("invalid_request", { detail: `${path}: ${message}`, errors: [{ path, message }] });
}

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors: readonly FieldProblem[];
  readonly requestId?: string;
}

export const problemContentType = "application/problem+json; charset=utf-8";

/** The problem as it goes over the wire; `type` is the page that explains it, on this very server. */
export function problemBody(code: ProblemCode, detail: string, errors: readonly FieldProblem[] = []): ProblemBody {
  return { type: `/docs/problems#${code}`, ...problems[code], code, detail, errors };
}

/** A command's refusal as a problem. Throws on a code that is not in the table: a bug, which a test of each code finds. */
export function problemOf(refusal: Refusal): ProblemBody {
  return problemBody(codeOf(refusal), refusal.detail, refusal.errors);
}

/** The same, to end a request with. */
export function refusalProblem(refusal: Refusal): Problem {
  return new Problem(codeOf(refusal), { detail: refusal.detail, errors: refusal.errors });
}

function codeOf({ code }: Refusal): ProblemCode {
  if (Object.hasOwn(problems, code)) return code as ProblemCode;
  throw new Error(`no problem is called ${code}`);
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const body: ProblemBody = {
    ...problemBody(problem.code, problem.message, problem.errors),
    requestId: String(reply.request.id),
  };
  if (problem.retryAfterSeconds !== null) reply.header("retry-after", String(problem.retryAfterSeconds));
  if (problem.code === "unauthenticated") reply.header("www-authenticate", 'Bearer realm="proximal"');
  return reply.code(body.status).header("content-type", problemContentType).send(JSON.stringify(body));
}

export const statusOf = ({ code }: Problem): number => problems[code].status;

/** The same on a response that Fastify has nothing to do with. */
export function sendRawProblem(
  response: ServerResponse,
  { code, message, errors, retryAfterSeconds }: Problem,
  headers: Readonly<Record<string, string>> = {},
  requestId?: string,
): void {
  const named = requestId === undefined ? {} : { requestId };
  const body = JSON.stringify({ ...problemBody(code, message, errors), ...named });
  const wait: Record<string, string> = retryAfterSeconds === null ? {} : { "retry-after": String(retryAfterSeconds) };
  const length = Buffer.byteLength(body);
  const { status } = problems[code];
  response.writeHead(status, { "content-type": problemContentType, ...wait, ...headers, "content-length": length });
  response.end(body);
}

/** Fastify's own errors by their code. */
const fastifyProblems: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
  FST_ERR_CTP_BODY_TOO_LARGE: "payload_too_large",
  FST_ERR_CTP_EMPTY_JSON_BODY: "malformed_json",
  FST_ERR_CTP_INVALID_JSON_BODY: "malformed_json",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "invalid_request",
  FST_ERR_BAD_URL: "invalid_request",
  FST_ERR_MAX_PARAM_LENGTH: "invalid_request",
};

/** What a thrown error means to a client. Anything unknown is our fault, and its message stays inside. */
export function toProblem(error: FastifyError | Error): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof LogBusy) return new Problem("busy", { detail: error.message, retryAfterSeconds: 1 });
  if (error instanceof LogNotAsked) {
    const detail = "Nothing of the request was stored. The log failed just now, and is tried again in a moment.";
    return new Problem("log_circuit_open", { detail, retryAfterSeconds: 1 });
  }
  if (error instanceof LogUnavailable) {
    const detail = "Whether anything was stored is not known; repeating the request with the same ids is safe.";
    return new Problem("log_unavailable", { detail, retryAfterSeconds: 1 });
  }
  if (error instanceof ReadModelsUnavailable) {
    return new Problem("read_models_unavailable", { detail: "No answer in time; try again.", retryAfterSeconds: 1 });
  }
  if (error instanceof NobodyAnswers) return new Problem("not_ready", { detail: error.message, retryAfterSeconds: 10 });
  if (error instanceof TooManyRetries) return new Problem("busy", { detail: error.message, retryAfterSeconds: 10 });
  if ("validation" in error && Array.isArray(error.validation)) return validationProblem(error as FastifyError);
  const code = "code" in error ? fastifyProblems[String(error.code)] : undefined;
  if (code !== undefined) return new Problem(code, { detail: error.message.slice(0, 300) });
  return new Problem("internal", { detail: "The request failed for a reason of ours; it was logged with its id." });
}

function validationProblem(error: FastifyError): Problem {
  const errors: FieldProblem[] = (error.validation ?? []).map((issue) => {
    const keys = unknownKeys(issue.params);
    const path = issue.instancePath.split("/").filter((part) => part !== "");
    return {
      path: [...path, ...keys].join("."),
      message: keys.length > 0 ? "unknown field" : (issue.message ?? "wrong"),
    };
  });
  return new Problem("invalid_request", { detail: summaryOf(errors), errors });
}

function unknownKeys(params: Record<string, unknown>): string[] {
  const issue = params.issue;
  const keys = params.keys ?? (typeof issue === "object" && issue !== null && "keys" in issue ? issue.keys : undefined);
  return Array.isArray(keys) ? keys.slice(0, 1).map(String) : [];
}

const quiet: ReadonlySet<ProblemCode> = new Set(["not_ready", "busy", "log_circuit_open"]);

/** Tells of a problem that is our fault. */
export function logProblem(
  log: Pick<FastifyBaseLogger, "error" | "warn" | "debug">,
  problem: Problem,
  error: unknown,
  fields: { readonly requestId: string; readonly method: string; readonly route: string | undefined },
): void {
  if (statusOf(problem) < 500) return;
  if (problem.code === "internal") log.error({ ...fields, err: error }, "request failed");
  // Said in the answer, expected, and many at a time: what is behind them is told once, elsewhere.
  else if (quiet.has(problem.code)) log.debug({ ...fields, why: problem.message }, problems[problem.code].title);
  else log.warn({ ...fields, err: error }, "request could not be served");
}

/** Fastify's error handler: answers with the problem, logs what is our fault. */
export function handleError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error);
  const { id, method, routeOptions } = request;
  logProblem(request.server.log, problem, error, { requestId: String(id), method, route: routeOptions.url });
  return sendProblem(reply, problem);
}
