import { LRUCache } from "lru-cache";
import { z } from "zod";
import { fieldProblems, summaryOf } from "../../commands/refusal.ts";
import { idSchema, sessionTypeSchema } from "../../domain/events.ts";
import { parseFreshnessToken } from "../../domain/freshness-token.ts";
import { countDefault, countMax, excludeMax, type NextRequest, skillsMax } from "../../queries/next-request.ts";
import { Problem } from "../problem.ts";
import {
  afterSchema,
  learnerParams,
  listOf,
  listSchema,
  nextAnswerSchema,
  problemResponses,
  wholeNumber,
} from "../schemas.ts";
import { type App, acceptsAnything, type Services } from "../services.ts";

export const learnersMax = 1_000;

const querySchema = z.strictObject({
  count: wholeNumber(1, countMax).default(countDefault).describe("How many items at the most"),
  track: idSchema
    .optional()
    .describe(
      "The track to choose from; when left out, that of the learner's last interaction with one, else all items",
    ),
  session: sessionTypeSchema.default("practice"),
  exclude: listSchema.describe(`Items not wanted, at most ${excludeMax}: a,b or repeated`),
  skills: listSchema.describe(`Only items with one of these skills, at most ${skillsMax}`),
  after: afterSchema,
});

const bodySchema = z.strictObject({
  learnerIds: z.array(idSchema).min(1).max(learnersMax),
  count: z.number().int().min(1).max(countMax).default(countDefault),
  track: idSchema.optional(),
  session: sessionTypeSchema.default("practice"),
  exclude: z.array(idSchema).max(excludeMax).optional(),
  skills: z.array(idSchema).min(1).max(skillsMax).optional(),
});

const json = "application/json; charset=utf-8";

export function nextRoutes(app: App, { nextItems, deps: { catalogue } }: Services): void {
  const parse = createQueryParser();
  const checkTrack = (trackId: string | null): void => {
    if (trackId !== null && catalogue.bank(trackId) === null) throw unknownTrack(trackId);
  };

  app.route({
    method: "GET",
    url: "/v1/learners/:learnerId/next",
    config: { scopes: ["client"] },
    schema: {
      tags: ["queries"],
      summary: "What should this learner do next, and why?",
      params: learnerParams,
      querystring: querySchema,
      response: { 200: nextAnswerSchema, ...problemResponses },
    },
    // Checked by hand: the same few query strings come again and again, and are parsed once.
    validatorCompiler: acceptsAnything,
    handler(request, reply) {
      const { learnerId } = request.params as { learnerId: string };
      if (!idSchema.safeParse(learnerId).success) throw invalid("learnerId", "1 to 200 characters without white space");
      const asked = parse(request.url, request.query);
      checkTrack(asked.trackId);
      reply.header("content-type", json);
      return nextItems.one(learnerId, asked) as never;
    },
  });

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

function createQueryParser(): (url: string, query: unknown) => NextRequest {
  const parsed = new LRUCache<string, NextRequest>({ max: 1_000 });
  return (url, query) => {
    const at = url.indexOf("?");
    const text = at < 0 ? "" : url.slice(at + 1);
    let request = text.length > 300 ? undefined : parsed.get(text);
    if (request === undefined) {
      request = parseQuery(query, text);
      if (text.length <= 300 && request.after === null) parsed.set(text, request);
    }
    return request;
  };
}

function parseQuery(query: unknown, text: string): NextRequest {
  const result = querySchema.safeParse(query);
  if (!result.success) {
    const errors = fieldProblems(result.error.issues);
    throw new Problem("invalid_request", { detail: summaryOf(errors), errors });
  }
  const { count, track = null, session: sessionType, after } = result.data;
  const exclude = listOf(result.data.exclude) ?? [];
  const skillIds = listOf(result.data.skills);
  if (exclude.length > excludeMax) throw invalid("exclude", `at most ${excludeMax} items`);
  if (skillIds !== null && skillIds.length > skillsMax) throw invalid("skills", `at most ${skillsMax} skills`);
  const token = after === undefined ? null : parseFreshnessToken(after);
  const shape = { count, trackId: track, sessionType, skillIds };
  // With a token every query string is another, and what stands in the answer is not.
  const plain = exclude.length === 0 && skillIds === null;
  const cacheKey = plain ? JSON.stringify(shape) : token === null ? text : null;
  return { ...shape, exclude: new Set(exclude), after: token, cacheKey };
}

function invalid(path: string, message: string): Problem {
  return new Problem("invalid_request", { detail: `${path}: ${message}`, errors: [{ path, message }] });
}

function unknownTrack(trackId: string): Problem {
  const errors = [{ path: "track", message: "unknown or retired" }];
  return new Problem("not_found", { detail: `There is no track ${trackId}, or it was retired.`, errors });
}
