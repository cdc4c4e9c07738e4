import { z } from "zod";
import { lagStates } from "../../queries/lag-rates.ts";
import { problemResponses } from "../schemas.ts";
import type { App, OperatorServices } from "../services.ts";

const rate = z.number().nullable();
const rateSeconds = z.number().describe("Over so many seconds the rates were measured; 0: they are not known yet");

const lagSchema = z.object({
  projection: z.string(),
  partition: z.number().int(),
  started: z.boolean().describe("false: it has no position at all, which is stale, not caught up"),
  state: z
    .enum(lagStates)
    .describe(
      "stale: never started; current: nothing is behind; following: less than a second of its work is; draining, growing: what is behind becomes less, or does not; stopped: nothing of it was folded; measuring: the rates are not known yet",
    ),
  position: z.number().int(),
  behindEvents: z.number().int().describe("Of this partition; estimated where more than a thousand are behind"),
  behindSeconds: z.number().describe("Age of the oldest event not folded in"),
  rateIn: rate.describe("Events a second that came into the log for it"),
  rateOut: rate.describe("Events a second that it folded in"),
  rateSeconds,
  secondsToDrain: rate.describe("Until nothing is behind, at these rates; null: it will not drain, or is not known"),
});

const queueSchema = z.object({
  queue: z.string(),
  waiting: z.number().int(),
  prioritized: z.number().int(),
  paused: z.boolean().describe("Somebody has stopped the queue"),
  delayed: z.number().int(),
  active: z.number().int(),
  failed: z.number().int().describe("Kept to be looked at"),
  backlog: z.number().int().describe("All that is not begun: waiting, prioritized, delayed"),
  oldestWaitingSeconds: z.number(),
  completedTotal: z.number().int(),
  failedTotal: z.number().int(),
  completedPerSecond: rate,
  failedPerSecond: rate,
  rateSeconds,
});

const freshnessSchema = z.object({
  objective: z.number().describe("Share of the answers that is to be visible to queries in time"),
  withinSeconds: z.number().describe("In time: so soon after their durable commit"),
  periodDays: z.number(),
  good: z.number().int().describe("Of the period"),
  total: z.number().int(),
  burnRate: rate.describe("1: the error budget is spent just in the period; of the last hour"),
  budgetLeft: z.number().describe("Share of the error budget that is left; below 0 where it is overdrawn"),
});

const replySchema = z.object({
  head: z.number().int(),
  projections: z.array(lagSchema),
  queues: z.array(queueSchema),
  freshness: freshnessSchema.nullable().describe("How soon answers are visible to queries, and the objective"),
  unreadable: z
    .array(z.string())
    .describe("Projections and queues whose engine did not answer: nothing is said of them"),
});

export type LagReply = z.output<typeof replySchema>;

export function lagRoutes(app: App, { lag, queues, freshness }: OperatorServices): void {
  app.route({
    method: "GET",
    url: "/v1/ops/lag",
    config: { scopes: ["operator"] as const },
    schema: {
      tags: ["operators"],
      summary: "How far projections, relay and jobs are behind, how that moves, and when it will be done",
      response: { 200: replySchema, ...problemResponses },
    },
    async handler() {
      const lost: string[] = [];
      const fresh = freshness().catch(() => {
        lost.push("freshness");
        return null;
      });
      const [{ head, projections, unreadable }, jobs] = await Promise.all([lag(), queues()]);
      return {
        ...{ head, projections: [...projections], queues: [...jobs.queues] },
        freshness: await fresh,
        unreadable: [...unreadable, ...lost, ...jobs.unreadable.map((queue) => `queue ${queue}`)],
      };
    },
  });
}
