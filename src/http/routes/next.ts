import { z } from "zod";
import { idSchema, sessionTypeSchema } from "../../domain/events.ts";
import { countDefault, countMax, excludeMax, skillsMax } from "../../queries/next-request.ts";
import { addFastNext, nextRoute } from "../fast-next.ts";
import { createNextQueries, nextQuerySchema } from "../next-query.ts";
import { invalidField, Problem } from "../problem.ts";
import { learnerParams, nextAnswerSchema, problemResponses } from "../schemas.ts";
import { type App, acceptsAnything, type Services } from "../services.ts";

export const learnersMax = 1_000;

const bodySchema = z.strictObject({
  learnerIds: z.array(idSchema).min(1).max(learnersMax),
  count: z.number().int().min(1).max(countMax).default(countDefault),
  track: idSchema.optional(),
  session: sessionTypeSchema.default("practice"),
  exclude: z.array(idSchema).max(excludeMax).optional(),
  skills: z.array(idSchema).min(1).max(skillsMax).optional(),
});

const json = "application/json; charset=utf-8";

export function nextRoutes(app: App, services: Services): void {
  const {
    nextItems,
    deps: { catalogue },
  } = services;
  const queries = createNextQueries();
  const checkTrack = (trackId: string | null): void => {
    if (trackId !== null && catalogue.bank(trackId) === null) throw unknownTrack(trackId);
  };

  app.route({
    method: "GET",
    url: nextRoute,
    config: { scopes: ["client"] },
    schema: {
      tags: ["queries"],
      summary: "What should this learner do next, and why?",
      params: learnerParams,
      querystring: nextQuerySchema,
      response: { 200: nextAnswerSchema, ...problemResponses },
    },
    // Checked by hand: the same few query strings come again and again, and are parsed once.
    validatorCompiler: acceptsAnything,
    async handler(request, reply) {
      const { learnerId } = request.params as { learnerId: string };
      if (!idSchema.safeParse(learnerId).success) {
        throw invalidField("learnerId", "1 to 200 characters without white space");
      }
      const asked = queries.parse(request.url, request.query);
      checkTrack(asked.trackId);
      reply.header("content-type", json);
      return (await nextItems.one(learnerId, asked)).text as never;
    },
  });

  addFastNext(app, services, queries);

  app.route({
    method: "POST",
    url: "/v1/next",
    config: { scopes: ["client"] },
    schema: {
      tags: ["queries"],
      summary: "The same for many learners",
      body: bodySchema,
      response: {
        200: z.object({ answers: z.array(nextAnswerSchema).describe("In the order asked") }),
        ...problemResponses,
      },
    },
    async handler(request, reply) {
      const { learnerIds, count, track = null, session: sessionType, exclude = [], skills = null } = request.body;
      checkTrack(track);
      const shape = { count, trackId: track, sessionType, skillIds: skills };
      const cacheKey = exclude.length === 0 && skills === null ? JSON.stringify(shape) : null;
      const answers = await nextItems.many(learnerIds, { ...shape, exclude: new Set(exclude), after: null, cacheKey });
      reply.header("content-type", json);
      return reply.send(`{"answers":[${answers.join(",")}]}` as never);
    },
  });
}

function unknownTrack(trackId: string): Problem {
  const errors = [{ path: "track", message: "unknown or retired" }];
  return new Problem("not_found", { detail: `There is no track ${trackId}, or it was retired.`, errors });
}
