import { z } from "zod";
import { parseFreshnessToken } from "../../domain/freshness-token.ts";
import { learnerHistory } from "../../queries/history.ts";
import { learnerReviews } from "../../queries/reviews.ts";
import { learnerScores } from "../../queries/scores.ts";
import type { Past } from "../../queries/time-travel/past.ts";
import { historyAt } from "../../queries/time-travel/past-history.ts";
import { askPast, atShape, pastSchema } from "../past.ts";
import { invalidField } from "../problem.ts";
import {
  afterSchema,
  freshnessShape,
  learnerParams,
  problemResponses,
  unchangedResponse,
  wholeNumber,
} from "../schemas.ts";
import type { App, Services } from "../services.ts";
import { sendTagged } from "../tagged.ts";

const stateShape = {
  ...freshnessShape,
  stale: z.literal(true).optional().describe("Only while the read models are away: this is the last that is known"),
  ...atShape,
};

const scoresSchema = z
  .object({
    ...stateShape,
    model: z.string(),
    modelVersion: z.number().int(),
    ability: z.number().describe("Logits; 0 is even odds on an average question"),
    interactions: z.number().int(),
    answers: z.number().int(),
    correct: z.number().int(),
    streak: z.number().int(),
    bestStreak: z.number().int(),
    skills: z.array(
      z.object({
        skillId: z.string(),
        title: z.string(),
        mastery: z.number().describe("Probability that the skill is mastered"),
        sd: z.number().describe("Standard deviation of that estimate"),
        answers: z.number().int(),
      }),
    ),
    recent: z
      .array(
        z.object({
          itemId: z.string(),
          title: z.string().nullable(),
          correct: z.boolean(),
          p: z.number().describe("Predicted before the answer"),
          at: z.string(),
        }),
      )
      .describe("Newest first"),
    lastItems: z.array(z.string()),
  })
  .meta({ title: "Scores" });
export type ScoresAnswer = z.output<typeof scoresSchema>;

const reviewsSchema = z
  .object({
    ...stateShape,
    dueCount: z.number().int(),
    due: z.array(
      z.object({ skillId: z.string().nullable(), itemId: z.string().nullable(), title: z.string(), dueAt: z.string() }),
    ),
    nextDueAt: z.string().nullable(),
    load: z.array(z.object({ day: z.string(), due: z.number().int() })).describe("By UTC day; today with the overdue"),
  })
  .meta({ title: "Reviews" });

const historySchema = z
  .object({
    learnerId: z.string(),
    ...atShape,
    events: z
      .array(
        z.object({
          revision: z.number().int(),
          position: z.number().int(),
          type: z.string(),
          recordedAt: z.string(),
          title: z.string().nullable(),
          data: z.unknown(),
        }),
      )
      .describe("Newest first"),
    nextBefore: z.number().int().nullable().describe("Give it as before to read on"),
  })
  .meta({ title: "History" });
export type HistoryAnswer = z.output<typeof historySchema>;

const tokenOf = (after: string | undefined) => (after === undefined ? null : parseFreshnessToken(after));
const config = { scopes: ["client", "analyst"] as const };

/** A question about the past has no later interaction to wait for. */
function notBoth(at: string | undefined, after: string | undefined): void {
  if (at !== undefined && after !== undefined) throw invalidField("after", "give at or after, not both");
}

export function learnerRoutes(app: App, services: Services): void {
  const { deps, learnerAnswers } = services;
  app.route({
    method: "GET",
    url: "/v1/learners/:learnerId/scores",
    config,
    schema: {
      tags: ["queries"],
      summary: "Ability, mastery of each skill, recent outcomes",
      params: learnerParams,
      querystring: z.strictObject({ after: afterSchema, at: pastSchema }),
      response: { 200: scoresSchema, ...unchangedResponse, ...problemResponses },
    },
    async handler(request, reply) {
      const { learnerId } = request.params;
      const { at, after } = request.query;
      notBoth(at, after);
      if (at === undefined) return sendTagged(request, reply, await learnerAnswers.scores(learnerId, tokenOf(after)));
      const ask = (past: Past) => learnerScores(past, learnerId);
      return askPast(services, request, at, ask) as never;
    },
  });

  app.route({
    method: "GET",
    url: "/v1/learners/:learnerId/reviews",
    config,
    schema: {
      tags: ["queries"],
      summary: "Reviews due now, and the load of the coming days",
      params: learnerParams,
      querystring: z.strictObject({ days: wholeNumber(1, 365).default(14), after: afterSchema, at: pastSchema }),
      response: { 200: reviewsSchema, ...unchangedResponse, ...problemResponses },
    },
    async handler(request, reply) {
      const { learnerId } = request.params;
      const { at, after, days } = request.query;
      notBoth(at, after);
      if (at === undefined)
        return sendTagged(request, reply, await learnerAnswers.reviews(learnerId, days, tokenOf(after)));
      const ask = (past: Past) => learnerReviews(past, learnerId, days);
      return askPast(services, request, at, ask) as never;
    },
  });

  app.route({
    method: "GET",
    url: "/v1/learners/:learnerId/history",
    config,
    schema: {
      tags: ["queries"],
      summary: "What the learner did, newest first, from the log itself",
      params: learnerParams,
      querystring: z.strictObject({
        count: wholeNumber(1, 500).default(50),
        before: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional().describe("nextBefore of the page before"),
        at: pastSchema,
      }),
      response: { 200: historySchema, ...problemResponses },
    },
    async handler(request) {
      const { at, ...query } = request.query;
      const { learnerId } = request.params;
      if (at === undefined) return learnerHistory(deps, learnerId, query) as never;
      return askPast(services, request, at, (past) => historyAt(past, learnerId, query)) as never;
    },
  });
}
