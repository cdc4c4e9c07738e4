import { z } from "zod";
import { idSchema } from "../../domain/events.ts";
import type { StoredEvent } from "../../domain/stored-event.ts";
import { Problem } from "../problem.ts";
import { learnerParams, problemResponses } from "../schemas.ts";
import { type App, type OperatorServices, operationsOf } from "../services.ts";

const parkedSchema = z.object({
  learnerId: z.string(),
  partition: z.number().int(),
  revision: z.number().int(),
  position: z.number().int(),
  error: z.string(),
  at: z.string(),
  attempts: z.number().int(),
});

const parkedEventSchema = z.object({
  ...{ type: z.string(), revision: z.number().int(), position: z.number().int(), recordedAt: z.string() },
  data: z.unknown().describe("As it is stored, whatever it is"),
});

const parkedAnswerSchema = z.object({ count: z.number().int(), parked: z.array(parkedSchema) });
const inspectionSchema = parkedSchema.extend({
  event: parkedEventSchema.nullable().describe("null: the log has it no more"),
});
const retrySchema = z.object({
  learnerId: z.string(),
  status: z.enum(["retried", "still_failing"]),
  error: z.string().nullable(),
});
export type ParkedAnswer = z.output<typeof parkedAnswerSchema>;
export type InspectionAnswer = z.output<typeof inspectionSchema>;
export type RetryAnswer = z.output<typeof retrySchema>;

const rebuildSchema = z.object({
  name: z.string(),
  status: z
    .enum(["waiting", "running", "done", "failed"])
    .describe("waiting: for a process of the roles jobs or projector to take it up"),
  events: z.number().int(),
  position: z.number().int(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  identical: z
    .boolean()
    .nullable()
    .describe("Whether the rebuilt rows equal the live ones; null while not known, and for a rollback"),
  different: z.number().int().describe("Rows that differ at the same event, or are missing in one"),
  differing: z.array(z.string()).readonly().describe("Keys of rows that differ, the first few"),
  behind: z.number().int().describe("Live rows that waited for their projector and were not compared"),
  error: z.string().nullable(),
});

export type RebuildAnswer = z.output<typeof rebuildSchema>;

const config = { scopes: ["operator"] as const };
const nameParams = z.object({ name: idSchema });
const rebuildQuery = z.object({
  rollback: z.stringbool().default(false).describe("Go back to the rows before the last switch, brought up to date"),
});

const notParked = (learnerId: string): Problem => new Problem("not_found", { detail: `${learnerId} is not parked.` });

/** Without the metadata: what it holds is about requests, not about what could not be folded. */
const shownEvent = ({ type, revision, position, recordedAt, data }: StoredEvent) => ({
  ...{ type, revision, position, recordedAt, data },
});

export function operationRoutes(app: App, { deps }: OperatorServices): void {
  app.route({
    method: "GET",
    url: "/v1/ops/parked",
    config,
    schema: {
      tags: ["operators"],
      summary: "Learners set aside because an event of theirs could not be folded",
      response: { 200: parkedAnswerSchema, ...problemResponses },
    },
    async handler() {
      const parked = await operationsOf(deps).parked();
      return { count: parked.length, parked: [...parked] };
    },
  });

  app.route({
    method: "GET",
    url: "/v1/ops/parked/:learnerId",
    config,
    schema: {
      tags: ["operators"],
      summary: "A parked learner, with the event that could not be folded",
      params: learnerParams,
      response: {
        200: inspectionSchema,
        ...problemResponses,
      },
    },
    async handler({ params: { learnerId } }) {
      const found = await operationsOf(deps).inspect(learnerId);
      if (found === null) throw notParked(learnerId);
      return { ...found, event: found.event === null ? null : shownEvent(found.event) };
    },
  });

  app.route({
    method: "POST",
    url: "/v1/ops/parked/:learnerId/retry",
    config,
    schema: {
      tags: ["operators"],
      summary: "Folds a parked learner's events again",
      params: learnerParams,
      response: {
        200: retrySchema,
        ...problemResponses,
      },
    },
    async handler({ params: { learnerId } }) {
      const outcome = await operationsOf(deps).retry(learnerId);
      if (outcome.status === "not_parked") throw notParked(learnerId);
      return { learnerId, status: outcome.status, error: outcome.status === "still_failing" ? outcome.error : null };
    },
  });

  const known = (name: string): string => {
    const { rebuildable } = operationsOf(deps);
    if (rebuildable.includes(name)) return name;
    const message = `there are ${rebuildable.join(", ")}`;
    throw new Problem("not_found", {
      detail: `Nothing is called ${name}; ${message}.`,
      errors: [{ path: "name", message }],
    });
  };

  app.route({
    method: "POST",
    url: "/v1/ops/rebuild/:name",
    config,
    schema: {
      tags: ["operators"],
      summary: "Rebuilds read models from the log, beside the live ones, and switches to them",
      params: nameParams,
      querystring: rebuildQuery,
      response: { 202: rebuildSchema, ...problemResponses },
    },
    async handler(request, reply) {
      return reply.code(202).send(await operationsOf(deps).rebuild(known(request.params.name), request.query));
    },
  });

  app.route({
    method: "GET",
    url: "/v1/ops/rebuild/:name",
    config,
    schema: {
      tags: ["operators"],
      summary: "The running or last rebuild",
      params: nameParams,
      response: { 200: rebuildSchema, ...problemResponses },
    },
    async handler({ params: { name } }) {
      const report = await operationsOf(deps).rebuildStatus(known(name));
      if (report === null) throw new Problem("not_found", { detail: `No rebuild of ${name} is known.` });
      return report;
    },
  });
}
