import { z } from "zod";
import { itemInputSchema, skillInputSchema, trackInputSchema } from "../../commands/catalogue-inputs.ts";
import { defineSkills, retireSkills } from "../../commands/define-skills.ts";
import { defineTracks, retireTracks } from "../../commands/define-tracks.ts";
import type { CatalogueCommandDeps, CatalogueOutcome, CommandContext } from "../../commands/handle.ts";
import { publishItems, retireItems } from "../../commands/publish-items.ts";
import { idSchema } from "../../domain/events.ts";
import type { Catalogue } from "../../domain/item-bank/catalogue.ts";
import { createCatalogueList, type Listed } from "../../queries/catalogue-list.ts";
import type { Past } from "../../queries/time-travel/past.ts";
import { type Caller, mayCall } from "../authentication.ts";
import { askPast, atShape, pastSchema } from "../past.ts";
import { Problem, problemOf, refusalProblem } from "../problem.ts";
import { causeOf } from "../request-trace.ts";
import { problemResponses, problemSchema, wholeNumber } from "../schemas.ts";
import { type App, acceptsAnything, type Services } from "../services.ts";

export const arrayMax = 1_000;

type Command = (
  deps: CatalogueCommandDeps,
  inputs: readonly unknown[],
  context: CommandContext,
) => Promise<CatalogueOutcome[]>;

interface Resource {
  readonly name: "items" | "skills" | "tracks";
  readonly one: string;
  readonly input: z.ZodType;
  readonly entries: (catalogue: Catalogue) => ReadonlyMap<string, Listed>;
  readonly publish: Command;
  readonly retire: Command;
}

const resources: readonly Resource[] = [
  {
    ...{ name: "skills", one: "a skill", input: skillInputSchema, entries: ({ skills }) => skills },
    ...{ publish: defineSkills, retire: retireSkills },
  },
  {
    ...{ name: "items", one: "an item", input: itemInputSchema, entries: ({ items }) => items },
    ...{ publish: publishItems, retire: retireItems },
  },
  {
    ...{ name: "tracks", one: "a track", input: trackInputSchema, entries: ({ tracks }) => tracks },
    ...{ publish: defineTracks, retire: retireTracks },
  },
];

const statuses = ["published", "revised", "unchanged", "retired", "refused"] as const;

const replySchema = z
  .object({
    published: z.number().int(),
    revised: z.number().int(),
    unchanged: z.number().int(),
    retired: z.number().int(),
    refused: z.number().int(),
    outcomes: z.array(
      z.object({
        index: z.number().int(),
        id: z.string().nullable(),
        status: z.enum(statuses),
        problem: problemSchema.optional(),
      }),
    ),
  })
  .meta({ title: "CatalogueOutcomes" });

export function catalogueRoutes(app: App, services: Services): void {
  for (const resource of resources) {
    writeRoutes(app, services, resource);
    readRoutes(app, services, resource);
  }
}

const authors = { scopes: ["author"] as const };
const readers = { scopes: ["author", "client", "analyst"] as const };
const idParams = z.object({ id: idSchema });

function writeRoutes(app: App, { deps }: Services, { name, one, input, publish, retire }: Resource): void {
  app.route({
    method: "POST",
    url: `/v1/${name}`,
    config: authors,
    schema: {
      tags: ["authors"],
      summary: `Publish or revise ${name}`,
      description: `One object or an array of at most ${arrayMax}: each is made to stand as given. In an array each stands for itself, and the
reply is 200 with an outcome for each; for a single object a refusal is a problem.`,
      body: z.union([input, z.array(input).max(arrayMax)]),
      response: { 200: replySchema, 201: replySchema, ...problemResponses },
    },
    validatorCompiler: acceptsAnything,
    async handler(request, reply) {
      const body: unknown = request.body;
      const outcomes = await publish(deps, inputsOf(body), causeOf(request, deps.tracing));
      const only = Array.isArray(body) ? undefined : outcomes[0];
      if (only?.status === "refused") throw refusalProblem(only.problem);
      return reply.code(only?.status === "published" ? 201 : 200).send(replyOf(outcomes) as never);
    },
  });

  app.route({
    method: "DELETE",
    url: `/v1/${name}/:id`,
    config: authors,
    schema: {
      tags: ["authors"],
      summary: `Retire ${one}`,
      description: "It leaves every list at once; what learners did with it stays. Publishing it again brings it back.",
      params: idParams,
      response: { 200: replySchema, ...problemResponses },
    },
    async handler(request) {
      const outcomes = await retire(deps, [request.params.id], causeOf(request, deps.tracing));
      const only = outcomes[0];
      if (only?.status === "refused") {
        const { code, detail, errors } = only.problem;
        // What a body names must exist for the body to make sense; what the path names is merely not there.
        throw code.startsWith("unknown_") ? new Problem("not_found", { detail, errors }) : refusalProblem(only.problem);
      }
      return replyOf(outcomes) as never;
    },
  });
}

function readRoutes(app: App, services: Services, { name, one, entries }: Resource): void {
  const { deps } = services;
  const list = createCatalogueList(deps.catalogue, entries);
  const entrySchema = z.looseObject({ title: z.string(), revision: z.number().int(), retired: z.boolean() });

  app.route({
    method: "GET",
    url: `/v1/${name}`,
    config: readers,
    schema: {
      tags: ["authors"],
      summary: `The ${name} there are, by id`,
      querystring: z.strictObject({
        count: wholeNumber(1, 1_000).default(100),
        cursor: idSchema.optional().describe("nextCursor of the page before"),
        retired: z.enum(["true", "false"]).default("false").describe("With those that were retired"),
        at: pastSchema,
      }),
      response: {
        200: z.object({
          total: z.number().int(),
          [name]: z.array(entrySchema),
          nextCursor: z.string().nullable(),
          ...atShape,
        }),
        ...problemResponses,
      },
    },
    async handler(request) {
      const { count, cursor, retired, at } = request.query;
      const pageOf = (listed: typeof list) => {
        const page = listed({ count, cursor: cursor ?? null, withRetired: retired === "true" });
        return {
          total: page.total,
          [name]: page.entries.map((entry) => shownTo(request.caller, entry)),
          nextCursor: page.nextCursor,
        };
      };
      if (at === undefined) return pageOf(list) as never;
      const ask = async (past: Past) => pageOf(createCatalogueList(past.catalogue, entries));
      return askPast(services, request, at, ask) as never;
    },
  });

  app.route({
    method: "GET",
    url: `/v1/${name}/:id`,
    config: readers,
    schema: {
      tags: ["authors"],
      summary: `One of the ${name}`,
      params: idParams,
      querystring: z.strictObject({ at: pastSchema }),
      response: { 200: entrySchema, ...problemResponses },
    },
    async handler(request) {
      const { id } = request.params;
      const entryIn = async ({ catalogue }: Pick<Services["deps"], "catalogue">) => {
        const entry = entries(catalogue.catalogue).get(id);
        if (entry === undefined) throw new Problem("not_found", { detail: `Nobody published ${one} ${id}.` });
        return shownTo(request.caller, entry);
      };
      const { at } = request.query;
      return (at === undefined ? entryIn(deps) : askPast(services, request, at, entryIn)) as never;
    },
  });
}

/** A key that only asks for lists may stand in a learner's app: it does not see what is correct. */
function shownTo(caller: Caller | null, entry: Listed & { readonly responses?: unknown }): Listed {
  if (entry.responses === undefined || (caller !== null && mayCall(caller, ["author", "analyst"]))) return entry;
  const { responses: _, ...rest } = entry;
  return rest;
}

function inputsOf(body: unknown): readonly unknown[] {
  if (!Array.isArray(body)) return [body];
  if (body.length <= arrayMax) return body;
  throw new Problem("too_many", {
    detail: `${body.length} in one array; the limit is ${arrayMax}: send them in parts.`,
  });
}

function replyOf(outcomes: readonly CatalogueOutcome[]) {
  const counts = Object.fromEntries(statuses.map((status) => [status, 0])) as Record<
    CatalogueOutcome["status"],
    number
  >;
  const shown = outcomes.map((outcome) => {
    counts[outcome.status] += 1;
    return outcome.status === "refused" ? { ...outcome, problem: problemOf(outcome.problem) } : outcome;
  });
  return { ...counts, outcomes: shown };
}
