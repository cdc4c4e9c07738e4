import type { FastifyReply } from "fastify";
import { z } from "zod";
import { idSchema } from "../../domain/events.ts";
import { popularWindows } from "../../projections/popular-items.ts";
import { type ItemStatsDeps, itemStatsOf } from "../../queries/item-stats.ts";
import { createPopularReader, popularItems } from "../../queries/popular.ts";
import { askPast, atShape, pastSchema } from "../past.ts";
import { Problem } from "../problem.ts";
import { problemResponses, unchangedResponse, wholeNumber } from "../schemas.ts";
import type { App, Services } from "../services.ts";
import { sendTagged } from "../tagged.ts";

const popularSchema = z
  .object({
    window: z.enum(popularWindows),
    ...atShape,
    trackId: z.string().nullable(),
    skillId: z.string().nullable(),
    position: z.number().int().describe("Of the log: what is counted up to here"),
    stale: z.boolean().describe("The read models did not answer; this was read before"),
    items: z.array(
      z.object({
        itemId: z.string(),
        title: z.string(),
        skillIds: z.array(z.string()),
        learners: z.number().int().describe("Who ever worked on it"),
        count: z.number().describe("Learners of the window; one of a half-life ago counts as a half"),
      }),
    ),
  })
  .meta({ title: "Popular" });

const statsSchema = z
  .object({
    itemId: z.string(),
    ...atShape,
    title: z.string().nullable(),
    retired: z.boolean(),
    attempts: z.number().int(),
    learners: z.number().int(),
    correct: z.number().int(),
    successRate: z.number().nullable(),
    successInterval: z.array(z.number()).length(2).nullable().describe("95 %, Wilson"),
    medianDurationMs: z.number().nullable(),
    hintRate: z.number().nullable(),
    discrimination: z.number().nullable().describe("Point-biserial correlation with ability"),
    difficulty: z.number().nullable().describe("Logits; positive is harder than average"),
    difficultySource: z.enum(["model", "author"]).nullable(),
    modelVersion: z.number().int(),
  })
  .meta({ title: "ItemStats" });

/**
 * Nothing of it is about one learner, so caches between may keep it: for a minute, as counts are as of the last one; longer while
 * they ask anew, and for a day where no process answers. Each key has a copy of its own, so nobody gets one who was not let in.
 */
const sharedCaching = "public, max-age=0, s-maxage=60, stale-while-revalidate=300, stale-if-error=86400";

/** Beside what CORS says that an answer varies by. */
function sharedHeaders(reply: FastifyReply): Readonly<Record<string, string>> {
  const varies = [reply.getHeader("vary"), "Authorization, X-API-Key"].filter((one) => typeof one === "string");
  return { "cache-control": sharedCaching, vary: varies.join(", ") };
}

export function popularRoutes(app: App, services: Services): void {
  const { popularAnswers, itemStats } = services;

  app.route({
    method: "GET",
    url: "/v1/popular",
    config: { scopes: ["client", "analyst", "author"] },
    schema: {
      tags: ["queries"],
      summary: "What many learners do",
      querystring: z
        .strictObject({
          window: z.enum(popularWindows).default("week"),
          track: idSchema.optional(),
          skill: idSchema.optional(),
          count: wholeNumber(1, 100).default(20),
          at: pastSchema,
        })
        .refine(({ track, skill }) => track === undefined || skill === undefined, {
          path: ["skill"],
          message: "give track or skill, not both",
        }),
      response: { 200: popularSchema, ...unchangedResponse, ...problemResponses },
    },
    async handler(request, reply) {
      const { window, track, skill, count, at } = request.query;
      const asked = { window, trackId: track, skillId: skill, count };
      if (at === undefined) return sendTagged(request, reply, await popularAnswers(asked), sharedHeaders(reply));
      return askPast(services, request, at, (past) => popularItems(createPopularReader(past), past, asked)) as never;
    },
  });

  app.route({
    method: "GET",
    url: "/v1/items/:itemId/stats",
    config: { scopes: ["client", "analyst", "author"] },
    schema: {
      tags: ["queries"],
      summary: "What the answers say of an item",
      params: z.object({ itemId: idSchema }),
      querystring: z.strictObject({ at: pastSchema }),
      response: { 200: statsSchema, ...problemResponses },
    },
    async handler(request) {
      const { itemId } = request.params;
      const { at } = request.query;
      const stats = async (rows: ItemStatsDeps) => (await itemStatsOf(rows, itemId)) ?? unknownItem(itemId);
      return (at === undefined ? stats(itemStats) : askPast(services, request, at, stats)) as never;
    },
  });
}

function unknownItem(itemId: string): never {
  throw new Problem("not_found", { detail: `Nobody published or answered an item ${itemId}.` });
}
