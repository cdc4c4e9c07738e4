import type { FastifyRequest } from "fastify";
import pLimit from "p-limit";
import { z } from "zod";
import { idSchema, sessionTypeSchema } from "../../domain/events.ts";
import type { CatalogueReader } from "../../ports/catalogue-reader.ts";
import { countDefault, countMax, excludeMax, type NextRequest, skillsMax } from "../../queries/next-request.ts";
import { nextInPast } from "../../queries/time-travel/past-next.ts";
import { mayCall } from "../authentication.ts";
import { addFastNext, nextRoute } from "../fast-next.ts";
import { createNextQueries, nextQuerySchema } from "../next-query.ts";
import { askPast, atShape, pastSchema } from "../past.ts";
import { invalidField, Problem } from "../problem.ts";
import { learnerParams, nextAnswerSchema, problemResponses, unchangedResponse } from "../schemas.ts";
import { type App, acceptsAnything, type Services } from "../services.ts";
import { sendTagged } from "../tagged.ts";

export const learnersMax = 1_000;
/** Requests for many learners worked on at a time. Each takes a slice of every turn of the event loop, which learners wait for. */
const manyAtATime = 4;

const bodySchema = z.strictObject({
  learnerIds: z.array(idSchema).min(1).max(learnersMax),
  count: z.number().int().min(1).max(countMax).default(countDefault),
  track: idSchema.optional(),
  session: sessionTypeSchema.default("practice"),
  exclude: z.array(idSchema).max(excludeMax).optional(),
  skills: z.array(idSchema).min(1).max(skillsMax).optional(),
  at: pastSchema,
});

const json = "application/json; charset=utf-8";
/** Each is folded from their first event, where the answer is about the past. */
const pastLearnersMax = 100;
/** Analysts ask about the past only. */
const config = { scopes: ["client", "analyst"] as const };

export function nextRoutes(app: App, services: Services): void {
  const { nextItems, deps, options } = services;
  const queries = createNextQueries();
  const atMost = pLimit(manyAtATime);

  async function inPast(request: FastifyRequest, at: string, learnerIds: readonly string[], asked: NextRequest) {
    return askPast(services, request, at, async (past) => {
      checkTrack(past.catalogue, asked.trackId);
      return { answers: await nextInPast(past, options.listSize, learnerIds, asked) };
    });
  }

  app.route({
    method: "GET",
    url: nextRoute,
    config,
    schema: {
      tags: ["queries"],
      summary: "What should this learner do next, and why?",
      params: learnerParams,
      querystring: nextQuerySchema,
      response: { 200: nextAnswerSchema, ...unchangedResponse, ...problemResponses },
    },
    // Checked by hand: the same few query strings come again and again, and are parsed once.
    validatorCompiler: acceptsAnything,
    async handler(request, reply) {
      const { learnerId } = request.params as { learnerId: string };
      if (!idSchema.safeParse(learnerId).success) {
        throw invalidField("learnerId", "1 to 200 characters without white space");
      }
      const asked = queries.parse(request.url, request.query);
      if (asked.at !== null) {
        reply.header("content-type", json);
        const { answers, at } = await inPast(request, asked.at, [learnerId], asked);
        return withField(answers[0] ?? "{}", "at", at) as never;
      }
      mustBeClient(request);
      checkTrack(deps.catalogue, asked.trackId);
      return sendTagged(request, reply, await nextItems.one(learnerId, asked));
    },
  });

  addFastNext(app, services, queries);

  app.route({
    method: "POST",
    url: "/v1/next",
    config: { ...config, load: () => "bulk" },
    schema: {
      tags: ["queries"],
      summary: "The same for many learners",
      body: bodySchema,
      response: {
        200: z.object({ answers: z.array(nextAnswerSchema).describe("In the order asked"), ...atShape }),
        ...problemResponses,
      },
    },
    async handler(request, reply) {
      const { learnerIds, count, track = null, session: sessionType, exclude = [], skills = null, at } = request.body;
      const shape = { count, trackId: track, sessionType, skillIds: skills };
      const cacheKey = exclude.length === 0 && skills === null ? JSON.stringify(shape) : null;
      const asked = { ...shape, exclude: new Set(exclude), after: null, cacheKey };
      reply.header("content-type", json);
      if (at !== undefined) {
        if (learnerIds.length > pastLearnersMax) {
          throw invalidField("learnerIds", `at most ${pastLearnersMax} learners with at`);
        }
        const past = await inPast(request, at, learnerIds, asked);
        return reply.send(withField(`{"answers":[${past.answers.join(",")}]}`, "at", past.at) as never);
      }
      mustBeClient(request);
      checkTrack(deps.catalogue, track);
      const answers = await atMost(() => nextItems.many(learnerIds, asked));
      return reply.send(`{"answers":[${answers.join(",")}]}` as never);
    },
  });
}

function mustBeClient({ caller }: FastifyRequest): void {
  if (caller !== null && mayCall(caller, ["client"])) return;
  throw new Problem("forbidden", {
    detail: "This needs a key with the scope client; with at, one with the scope analyst.",
  });
}

/** JSON of an object, with one field more at its end. */
const withField = (object: string, name: string, value: unknown): string =>
  `${object.slice(0, -1)},"${name}":${JSON.stringify(value)}}`;

function checkTrack({ bank }: Pick<CatalogueReader, "bank">, trackId: string | null): void {
  if (trackId !== null && bank(trackId) === null) throw unknownTrack(trackId);
}

function unknownTrack(trackId: string): Problem {
  const errors = [{ path: "track", message: "unknown or retired" }];
  return new Problem("not_found", { detail: `There is no track ${trackId}, or it was retired.`, errors });
}
