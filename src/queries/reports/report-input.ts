import { z } from "zod";
import { idSchema } from "../../domain/events.ts";

export const reportNames = ["learning-curves", "items", "funnel", "drop-outs", "overview"] as const;
export type ReportName = (typeof reportNames)[number];

/** What a report is asked for: by the API, the command line, and as kept with a replay. */
export const reportInputSchema = z.strictObject({
  report: z.enum(reportNames).describe("overview: all of them on one page"),
  trackId: idSchema.optional().describe("items of this track only, by its policy"),
  skillId: idSchema.optional().describe("answers to this skill only"),
  from: z.iso
    .datetime({ offset: true })
    .optional()
    .describe("count what learners did from then on; what they did before is known, not counted"),
  to: z.iso.datetime({ offset: true }).optional().describe("leave out what they did from then on"),
  inactiveDays: z
    .number()
    .int()
    .min(1)
    .max(365)
    .default(14)
    .describe("a learner who did nothing for so many days has stopped"),
  learners: z.boolean().default(false).describe("name the learners who stopped or are stuck, by their id"),
});
export type ReportInput = z.infer<typeof reportInputSchema>;
