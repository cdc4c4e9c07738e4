import { z } from "zod";
import { scaledRoles } from "../../domain/scaling/observation.ts";
import { processReportSchema } from "../../domain/scaling/process-report.ts";
import { bindings } from "../../domain/scaling/role-plan.ts";
import type { ScalingWatch } from "../../queries/scaling/scaling-watch.ts";
import { Problem } from "../problem.ts";
import { problemResponses } from "../schemas.ts";
import type { App, OperatorServices } from "../services.ts";

const seconds = z.number().nullable();

const rolePlanSchema = z.object({
  role: z.enum(scaledRoles),
  running: z.number().int().describe("Workers that are there"),
  desired: z
    .number()
    .int()
    .describe("How many there shall be: held through cool-down, and until fewer were enough for long"),
  neededNow: z
    .number()
    .int()
    .nullable()
    .describe("What the load of now takes; null while nobody knows what a worker does"),
  neededSoon: z.number().int().nullable().describe("The same some minutes from now, by the forecast"),
  most: z.number().int().describe("More than these cannot share the work"),
  binds: z.enum(bindings).describe("What stands in the way of less lag"),
  moreWouldHelp: z.boolean(),
  why: z.string().describe("The reasoning in a sentence"),
  rateIn: z.number().describe("Events, jobs or requests a second"),
  rateOut: z.number(),
  backlog: z.number(),
  lagSeconds: z.number().describe("Age of what has waited longest"),
  parked: z.number().int(),
  busyShare: z.number().nullable().describe("Of the workers' time"),
  capacity: z
    .object({
      perWorker: z.number().describe("A second"),
      measuredAt: z.number(),
      source: z.enum(["catching_up", "busy_share"]),
      ageSeconds: z.number(),
    })
    .nullable()
    .describe("What one worker does when it has enough to do"),
  drainSeconds: z.object({ running: seconds, desired: seconds }).describe("Until nothing waits; null: never"),
  forecast: z.object({
    rate: z.number(),
    atSeconds: z.number(),
    aheadSeconds: z.number(),
    errorRatio: z.number().nullable().describe("Mean error over mean rate of past forecasts"),
    naiveErrorRatio: z.number().nullable().describe("The same, had each said that nothing changes"),
    trusted: z.boolean().describe("false: the rate of now is planned for instead"),
    byTimeOfDay: z.boolean(),
  }),
  lastScaling: z
    .object({
      atSeconds: z.number(),
      from: z.number().int(),
      to: z.number().int(),
      rateBefore: z.number().nullable(),
      rateAfter: z.number().nullable(),
      effect: z.number().nullable().describe("Share of the gain that so many more should have brought"),
    })
    .nullable(),
});

export const scalingPlanSchema = z.object({
  at: z.string(),
  watchedSeconds: z.number().describe("For how long this process has watched"),
  rateFactor: z.number(),
  roles: z.array(rolePlanSchema),
  processes: z.array(processReportSchema.extend({ id: z.string() })).readonly(),
  unreadable: z.array(z.string()).readonly().describe("What could not be asked"),
});

export type ScalingAnswer = z.output<typeof scalingPlanSchema>;

const config = { scopes: ["operator"] as const };
const planQuery = z.object({
  rate: z.coerce
    .number({ error: "expected a number" })
    .min(0)
    .max(1000)
    .default(1)
    .describe("What if so many times as much came in"),
});

export function scalingRoutes(app: App, { deps }: OperatorServices): void {
  const watch = (): ScalingWatch => {
    if (deps.scaling !== undefined) return deps.scaling;
    throw new Problem("not_ready", { detail: "This process does not watch the deployment: ask one that does." });
  };

  app.route({
    method: "GET",
    url: "/v1/ops/scaling",
    config,
    schema: {
      tags: ["operators"],
      summary: "How many workers each role needs now and in ten minutes, and why",
      querystring: planQuery,
      response: { 200: scalingPlanSchema, ...problemResponses },
    },
    async handler({ query: { rate } }) {
      const plan = await watch().plan(rate);
      return { ...plan, roles: [...plan.roles] };
    },
  });

  app.route({
    method: "GET",
    url: "/v1/ops/scaling/:role",
    config,
    schema: {
      tags: ["operators"],
      summary: "How many workers one role shall have, as a plain value for external scalers",
      params: z.object({ role: z.enum(scaledRoles) }),
      response: {
        200: z.object({
          role: z.enum(scaledRoles),
          desiredWorkers: z.number().int(),
          running: z.number().int(),
          backlog: z.number(),
          lagSeconds: z.number(),
        }),
        ...problemResponses,
      },
    },
    async handler({ params: { role } }) {
      const plan = (await watch().plan()).roles.find((one) => one.role === role);
      if (plan === undefined)
        throw new Problem("not_ready", { detail: `Nothing is known of ${role} yet: rates take two looks.` });
      const { desired, running, backlog, lagSeconds } = plan;
      return { role, desiredWorkers: desired, running, backlog, lagSeconds };
    },
  });
}
