import { LRUCache } from "lru-cache";
import { z } from "zod";
import { fieldProblems, summaryOf } from "../commands/refusal.ts";
import { idSchema, sessionTypeSchema } from "../domain/events.ts";
import { parseFreshnessToken } from "../domain/freshness-token.ts";
import { countDefault, countMax, excludeMax, type NextRequest, skillsMax } from "../queries/next-request.ts";
import { pastSchema } from "./past.ts";
import { invalidField, Problem } from "./problem.ts";
import { afterSchema, listOf, listSchema, wholeNumber } from "./schemas.ts";

export const nextQuerySchema = z.strictObject({
  count: wholeNumber(1, countMax).default(countDefault).describe("How many items at the most"),
  track: idSchema
    .optional()
    .describe(
      "The track to choose from; when left out, that of the learner's last interaction with one, else all items",
    ),
  session: sessionTypeSchema.default("practice"),
  exclude: listSchema.describe(`Items not wanted, at most ${excludeMax}: a,b or repeated`),
  skills: listSchema.describe(`Only items with one of these skills, at most ${skillsMax}`),
  sessionId: idSchema
    .optional()
    .describe(
      "The session this begins or goes on with, where the track limits sessions; when left out, one is over after half an hour without an interaction",
    ),
  after: afterSchema,
  at: pastSchema,
});

/** A question, and as of when it is asked; null for now. */
export type NextQuery = NextRequest & { readonly at: string | null };

/** The same few query strings come again and again, and are parsed once. */
export interface NextQueries {
  /** The request of a query string that was parsed before, and was good; undefined for any other. */
  known(text: string): NextRequest | undefined;
  /** Throws a problem that names the parameter. */
  parse(url: string, query: unknown): NextQuery;
}

const textMax = 300;

export function createNextQueries(): NextQueries {
  const parsed = new LRUCache<string, NextQuery>({ max: 1_000 });
  const known = (text: string): NextQuery | undefined => (text.length > textMax ? undefined : parsed.peek(text));
  return {
    known,
    parse(url, query) {
      const at = url.indexOf("?");
      const text = at < 0 ? "" : url.slice(at + 1);
      let request = known(text);
      if (request === undefined) {
        request = parseQuery(query, text);
        if (
          text.length <= textMax &&
          request.after === null &&
          request.at === null &&
          request.sessionId === undefined
        ) {
          parsed.set(text, request);
        }
      }
      return request;
    },
  };
}

function parseQuery(query: unknown, text: string): NextQuery {
  const result = nextQuerySchema.safeParse(query);
  if (!result.success) {
    const errors = fieldProblems(result.error.issues);
    throw new Problem("invalid_request", { detail: summaryOf(errors), errors });
  }
  const { count, track = null, session: sessionType, sessionId, after, at = null } = result.data;
  if (at !== null && after !== undefined) throw invalidField("after", "give at or after, not both");
  const exclude = listOf(result.data.exclude) ?? [];
  const skillIds = listOf(result.data.skills);
  if (exclude.length > excludeMax) throw invalidField("exclude", `at most ${excludeMax} items`);
  if (skillIds !== null && skillIds.length > skillsMax) throw invalidField("skills", `at most ${skillsMax} skills`);
  const token = after === undefined ? null : parseFreshnessToken(after);
  const shape = { count, trackId: track, sessionType, skillIds };
  // With a token every query string is another, and what stands in the answer is not.
  const plain = exclude.length === 0 && skillIds === null;
  const cacheKey = plain ? JSON.stringify(shape) : token === null ? text : null;
  const session = sessionId === undefined ? {} : { sessionId };
  return { ...shape, ...session, exclude: new Set(exclude), after: token, cacheKey, at };
}
