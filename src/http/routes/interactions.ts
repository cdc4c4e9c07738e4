import type { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { interactionInputSchema } from "../../commands/interaction-input.ts";
import { createLatestTime } from "../../commands/latest-time.ts";
import { type InteractionOutcome, recordInteractions } from "../../commands/record-interactions.ts";
import { ndjsonType } from "../body-parsers.ts";
import { addFastInteractions, interactionsRoute } from "../fast-interactions.ts";
import { interactionReply, statusOfSingle } from "../interaction-reply.ts";
import { recordNdjson } from "../ndjson-interactions.ts";
import { Problem, refusalProblem } from "../problem.ts";
import { causeOf } from "../request-trace.ts";
import { problemResponses, problemSchema } from "../schemas.ts";
import { type App, acceptsAnything, type Services } from "../services.ts";
import type { LoadOf } from "../shedding.ts";

/** Interactions in one JSON array; more go as NDJSON, which has no end. */
export const arrayMax = 1_000;

const outcomeSchema = z.object({
  index: z.number().int(),
  line: z.number().int().optional(),
  id: z.string().nullable(),
  status: z.enum(["accepted", "duplicate", "rejected"]),
  token: z.string().optional(),
  problem: problemSchema.optional(),
});

const replySchema = z
  .object({
    accepted: z.number().int(),
    duplicates: z.number().int(),
    rejected: z.number().int(),
    outcomes: z.array(outcomeSchema).describe("In the order of the request"),
    tokens: z.record(z.string(), z.string()).describe("Freshness token by learner, for after="),
  })
  .meta({ title: "InteractionOutcomes" });
export type InteractionsAnswer = z.output<typeof replySchema>;

const description = `Records what learners did: one object, an array of at most ${arrayMax}, or NDJSON (one object a line, streamed; its
outcomes come back as NDJSON while it is read, and a summary as the last line).

What is answered as accepted is durable. The id is the idempotency key, unique for its learner: the same again is a duplicate, the same id with
other content is a conflict. In an array each interaction stands for itself: the reply is 200 and says what became of each. For a single
object: 201 accepted, 200 duplicate, 409 conflict, 422 refused.`;

export function interactionRoutes(app: App, services: Services): void {
  const { deps, groupCommit, metrics, options } = services;
  const latestTime = createLatestTime(deps.clock, () => performance.now());
  const recording = { ...deps, eventStore: groupCommit, latestTime };
  const count = (outcomes: readonly InteractionOutcome[]): void => {
    for (const { status } of outcomes) metrics.countInteractions(status, 1);
  };

  const preParsing = addFastInteractions(app, services, { recording, count });

  app.route({
    method: "POST",
    url: interactionsRoute,
    config: { scopes: ["client"], load },
    schema: {
      tags: ["interactions"],
      summary: "Record interactions",
      description,
      consumes: ["application/json", ndjsonType],
      querystring: z.strictObject({
        outcomes: z.enum(["all", "rejected"]).optional().describe("NDJSON only: which outcomes come back; all"),
      }),
      body: z.union([interactionInputSchema, z.array(interactionInputSchema).max(arrayMax)]),
      response: { 200: replySchema, 201: replySchema, ...problemResponses },
    },
    preParsing,
    // Each interaction is checked by the command, which can refuse one and take its neighbours.
    validatorCompiler: acceptsAnything,
    async handler(request, reply) {
      const body: unknown = request.body;
      const context = causeOf(request, deps.tracing);
      if (isStream(body)) {
        const { lineLimit, outcomes } = { lineLimit: options.ndjsonLineLimit, outcomes: wantedOutcomes(request) };
        reply.type(ndjsonType);
        return reply.send(recordNdjson(recording, body, context, { lineLimit, outcomes, onOutcomes: count }) as never);
      }
      const inputs = inputsOf(body);
      const outcomes = await recordInteractions({ ...recording, nextTurn }, inputs, context);
      count(outcomes);
      const only = Array.isArray(body) ? undefined : outcomes[0];
      if (only?.status === "rejected") throw refusalProblem(only.problem);
      reply.code(only === undefined ? 200 : statusOfSingle(only.status)).type("application/json; charset=utf-8");
      return reply.send(interactionReply(outcomes) as never);
    },
  });
}

/** More than a few interactions. */
const bulkBytes = 4_096;
const load: LoadOf = ({ headers }) => {
  const bulk = !headers["content-type"]?.includes("/json") || !(Number(headers["content-length"]) <= bulkBytes);
  return bulk ? "bulk" : "write";
};

function inputsOf(body: unknown): readonly unknown[] {
  if (!Array.isArray(body)) {
    if (typeof body === "object" && body !== null) return [body];
    throw new Problem("invalid_request", { detail: "The body must be an interaction, or an array of them." });
  }
  if (body.length <= arrayMax) return body;
  const detail = `${body.length} interactions in one array; the limit is ${arrayMax}. Send any number as NDJSON.`;
  throw new Problem("too_many", { detail });
}

function wantedOutcomes(request: FastifyRequest): "all" | "rejected" {
  const { outcomes } = request.query as { outcomes?: unknown };
  if (outcomes === undefined || outcomes === "all") return "all";
  if (outcomes === "rejected") return "rejected";
  const errors = [{ path: "outcomes", message: "all or rejected" }];
  throw new Problem("invalid_request", { detail: "outcomes: all or rejected", errors });
}

function isStream(body: unknown): body is Readable {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
