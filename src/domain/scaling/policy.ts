import { z } from "zod";

/** By what workers are added and taken away. The defaults are those of a day in simulation: docs/scaling.md. */
export const scalingPolicySchema = z.strictObject({
  utilisation: z
    .number()
    .min(0.05)
    .max(0.95)
    .default(0.95)
    .describe("Share of what the busiest worker can do that input may take, of work that may wait: events, jobs"),
  requestsUtilisation: z
    .number()
    .min(0.05)
    .max(0.95)
    .default(0.8)
    .describe("The same of requests, which may not: waits grow long before a thread is full"),
  catchUpSeconds: z.number().min(1).max(86_400).default(60).describe("In which a backlog shall be gone"),
  restartSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(20)
    .describe("That work stands still while it is dealt anew: what piles up then has to go as well"),
  startSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(60)
    .describe("From asking for a worker to its taking part: what is expected is prepared for so long before"),
  coolDownSeconds: z.number().min(0).max(86_400).default(60).describe("Between two changes"),
  downAfterSeconds: z
    .number()
    .min(0)
    .max(7 * 86_400)
    .default(120)
    .describe("That fewer must have been enough, all the time, before one is taken away"),
  tolerance: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.05)
    .describe("By which the rate wanted may be off what the workers do before their number is changed"),
  aheadSeconds: z.number().min(60).max(7200).default(600).describe("How far ahead arrivals are forecast"),
  forecastErrorMax: z.number().min(0).max(10).default(0.3).describe("Mean error over mean rate up to which it is used"),
  effectMin: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("Share of what added workers should have brought, below which no more are added"),
  workersMax: z.number().int().min(1).max(10_000).default(32).describe("Of a role, where partitions do not say so"),
});

export type ScalingPolicy = z.infer<typeof scalingPolicySchema>;

export const defaultPolicy: ScalingPolicy = scalingPolicySchema.parse({});
