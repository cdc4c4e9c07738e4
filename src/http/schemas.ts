import { z } from "zod";
import { idSchema, sessionTypeSchema } from "../domain/events.ts";
import { parseFreshnessToken } from "../domain/freshness-token.ts";
import { rules, stopReasons } from "../domain/item-selection/selection.ts";

/** Shapes that several routes share. Response schemas document and are tested against; they do not run on each reply. */

export const fieldProblemSchema = z.object({
  path: z.string().describe("The field as the caller wrote it, for instance policy.targetSuccess; empty for the whole"),
  message: z.string(),
});

export const problemSchema = z
  .object({
    type: z.string().describe("Page that explains the code"),
    title: z.string(),
    status: z.number().int(),
    code: z.string().describe("Stable, for programs; docs/problems.md lists all"),
    detail: z.string(),
    errors: z.array(fieldProblemSchema),
    requestId: z.string().optional(),
  })
  .meta({ title: "Problem", description: "RFC 9457 problem details" });

/** The answer to anything that goes wrong, for the `response` of a route. */
export const problemResponses = {
  default: { description: "A problem", content: { "application/problem+json": { schema: problemSchema } } },
} as const;

export const learnerParams = z.object({ learnerId: idSchema });

const tokenText = "Freshness token of a POST: waits, within bounds, until the answer includes that interaction";
/** As it stands in a query string or body; {@link afterOf} reads it. */
export const afterSchema = z
  .string()
  .refine((token) => parseFreshnessToken(token) !== null, "not a freshness token")
  .optional()
  .describe(tokenText);

/** `a,b` or `name=a&name=b` in a query string. */
export const listSchema = z.union([z.string(), z.array(z.string())]).optional();

/** The values of a {@link listSchema}; null where it was left out. */
export function listOf(value: string | readonly string[] | undefined): string[] | null {
  if (value === undefined) return null;
  const parts = typeof value === "string" ? value.split(",") : value.flatMap((part) => part.split(","));
  return parts.filter((part) => part !== "");
}

/** Numbers of a query string. */
export const wholeNumber = (min: number, max: number) =>
  z.coerce.number({ error: "expected a whole number" }).int().min(min).max(max);

export const freshnessShape = {
  learnerId: z.string(),
  revision: z.number().int().describe("Of the learner's last interaction that is included; 0 for none"),
  position: z.number().int().describe("Of the same interaction in the log"),
  ageMs: z.number().nullable().describe("Since it was recorded"),
  fresh: z.boolean().optional().describe("Only where after was given: whether the answer includes its interaction"),
};

export const reasonSchema = z
  .object({
    code: z.string().describe("pinned, due_review, open_skill, near_target, exploration, popular, ..."),
    text: z.string().describe("The same in words"),
    rules: z
      .array(z.enum(rules))
      .optional()
      .describe("Rules of the policy without which another item would stand here, or the list would go on"),
    skillId: z.string().nullable().optional(),
    mastery: z.number().optional(),
    dueAt: z.string().optional(),
    learners: z.number().optional(),
  })
  .meta({ title: "Reason" });

export const stopSchema = z
  .object({
    reason: z.enum(stopReasons).describe("mastered, nothing_due, budget_used, ..."),
    text: z.string().describe("The same in words"),
  })
  .meta({ title: "Stop" });

export const nextAnswerSchema = z
  .object({
    source: z
      .enum(["personal", "popular", "stale"])
      .describe(
        "The learner's own list; what many do (a new learner); or the last known while the read models are away",
      ),
    computed: z.enum(["precomputed", "on_demand"]),
    trackId: z.string().nullable(),
    sessionType: sessionTypeSchema,
    policyVersion: z.string(),
    experiment: z
      .object({ experimentId: z.string(), arm: z.string() })
      .optional()
      .describe("Only where the track runs an experiment: the learner's arm"),
    model: z.string(),
    modelVersion: z.number().int(),
    ...freshnessShape,
    ageMs: z.number(),
    at: z
      .object({ position: z.number().int(), time: z.string() })
      .optional()
      .describe("Only where at was given: what the answer knows ends here"),
    selectionId: z.string().describe("Name it in the interactions that follow from this list"),
    stop: stopSchema
      .nullable()
      .describe("Why the learner may stop here; null where there is more to do. Items beside it are ahead of time"),
    items: z.array(
      z.object({
        itemId: z.string(),
        title: z.string(),
        kind: z.string(),
        contentUri: z.string().optional(),
        skills: z.array(z.object({ skillId: z.string(), title: z.string() })),
        p: z.number().describe("Predicted probability of success"),
        score: z.number().describe("What the list is ranked by, comparable within it"),
        propensity: z.number().describe("Probability that the policy puts this item at this place"),
        reason: reasonSchema,
      }),
    ),
  })
  .meta({ title: "Next" });
export type NextAnswer = z.output<typeof nextAnswerSchema>;

/** Of a route whose answers have tags; see tagged.ts. */
export const unchangedResponse = {
  304: z.null().describe("The answer that If-None-Match names still holds, but for its age"),
} as const;
