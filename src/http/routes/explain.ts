import { z } from "zod";
import { idSchema, sessionTypeSchema } from "../../domain/events.ts";
import { countMax } from "../../queries/next-request.ts";
import { askWhy, atShape, pastSchema } from "../past.ts";
import { learnerParams, problemResponses, reasonSchema, wholeNumber } from "../schemas.ts";
import type { App, Services } from "../services.ts";

const termSchema = z.object({
  feature: z.string(),
  value: z.number(),
  weight: z.number(),
  contribution: z.number().describe("Logits: value times weight"),
});

const explanationSchema = z
  .object({
    learnerId: z.string(),
    ...atShape,
    list: z.looseObject({
      computed: z.enum(["precomputed", "on_demand"]),
      sessionType: sessionTypeSchema,
      trackId: z.string().nullable(),
      policyVersion: z.string(),
      model: z.string(),
      modelVersion: z.number().int(),
      revision: z.number().int(),
      position: z.number().int(),
      seed: z.string().describe("Of the random draw"),
    }),
    reproduced: z
      .object({
        status: z.enum(["exactly", "differs", "not served"]),
        selectionId: z.string().nullable(),
        differences: z.array(z.string()),
      })
      .describe("Made again from the log, beside the list that was recorded as served"),
    liveRow: z
      .enum(["the same", "differs", "another revision"])
      .nullable()
      .describe("The same beside the list that stands ready now"),
    items: z.array(
      z.looseObject({
        itemId: z.string(),
        title: z.string().nullable(),
        p: z.number(),
        score: z.number(),
        propensity: z.number(),
        reason: reasonSchema.partial(),
        prediction: z.object({ p: z.number(), logit: z.number(), sd: z.number(), terms: z.array(termSchema) }),
      }),
    ),
    draws: z.array(z.looseObject({ places: z.array(z.number().int()), rate: z.number(), seed: z.string() })),
    considered: z
      .array(
        z.looseObject({ skillId: z.string().nullable(), target: z.number(), candidates: z.array(z.looseObject({})) }),
      )
      .describe("What was looked at, skill by skill, with the rules that refused it"),
    learner: z.looseObject({ ability: z.number(), skills: z.array(z.looseObject({ skillId: z.string() })) }),
    policy: z.looseObject({}),
  })
  .meta({ title: "Explanation" });
export type ExplanationAnswer = z.output<typeof explanationSchema>;

export function explainRoutes(app: App, services: Services): void {
  app.route({
    method: "GET",
    url: "/v1/learners/:learnerId/explain",
    config: { scopes: ["analyst"] },
    schema: {
      tags: ["analysts"],
      summary: "Why this list? Features, weights, candidates, rules and random draw, made again from the log",
      params: learnerParams,
      querystring: z.strictObject({
        at: pastSchema,
        selection: idSchema.optional().describe("The selectionId of a list that was recorded as served"),
        track: idSchema.optional(),
        session: sessionTypeSchema.optional(),
        count: wholeNumber(1, countMax).default(3).describe("Items explained"),
      }),
      response: { 200: explanationSchema, ...problemResponses },
    },
    async handler({ params: { learnerId }, query: { at = null, selection = null, track, session, count } }) {
      return askWhy(services, { learnerId, at, selectionId: selection, track, session, count }) as never;
    },
  });
}
