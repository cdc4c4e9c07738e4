import { z } from "zod";
import { policyInputSchema } from "../../commands/catalogue-inputs.ts";
import { experimentSchema, idSchema } from "../../domain/events.ts";
import { policyHistory } from "../../queries/policy-history.ts";
import { Problem } from "../problem.ts";
import { problemResponses, wholeNumber } from "../schemas.ts";
import type { App, Services } from "../services.ts";

const settingsSchema = policyInputSchema.describe("All settings, the defaults too");

const policySchema = z
  .object({
    trackId: z.string(),
    title: z.string(),
    retired: z.boolean(),
    policyVersion: z.string().describe("As lists name it: the track and its revision"),
    policy: settingsSchema,
    experiment: experimentSchema.nullable(),
    versions: z
      .array(
        z.object({
          policyVersion: z.string(),
          revision: z.number().int(),
          position: z.number().int(),
          recordedAt: z.string(),
          apiKeyId: z.string().nullable().describe("The key it came with; null where it did not come over the API"),
          status: z.enum(["defined", "retired", "unreadable"]),
          policy: settingsSchema.nullable(),
          experiment: experimentSchema.nullable(),
          changed: z
            .array(z.string())
            .nullable()
            .describe("Settings that differ from the version before; null where that is not known"),
        }),
      )
      .describe("Newest first"),
    nextBefore: z.number().int().nullable().describe("before of the next page"),
  })
  .meta({ title: "TrackPolicy" });

export function policyRoutes(app: App, { deps }: Services): void {
  app.route({
    method: "GET",
    url: "/v1/tracks/:id/policy",
    config: { scopes: ["author", "client", "analyst"] },
    schema: {
      tags: ["authors"],
      summary: "A track's policy, with its versions",
      params: z.object({ id: idSchema }),
      querystring: z.strictObject({
        count: wholeNumber(1, 100).default(20),
        before: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional().describe("nextBefore of the page before"),
      }),
      response: { 200: policySchema, ...problemResponses },
    },
    async handler({ params: { id }, query }) {
      const track = deps.catalogue.catalogue.tracks.get(id);
      if (track === undefined) throw new Problem("not_found", { detail: `Nobody published a track ${id}.` });
      return (await policyHistory(deps, track, query)) as never;
    },
  });
}
