import { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { fieldProblems, summaryOf } from "../../commands/refusal.ts";
import { type Replay, type ReplayFileInfo, replayStates } from "../../ports/replay-store.ts";
import type { ReplayAnswer, Replays } from "../../queries/replays/replays.ts";
import { invalidField, Problem } from "../problem.ts";
import { problemResponses, wholeNumber } from "../schemas.ts";
import { type App, acceptsAnything, type Services } from "../services.ts";

const config = { scopes: ["analyst"] as const };
const tags = ["analysts"];
const idParams = z.object({ replayId: z.uuid() });
const keySchema = z.string().regex(/^[\x21-\x7e]{1,200}$/);

const replaySchema = z
  .object({
    replayId: z.string(),
    kind: z.string(),
    input: z.unknown().describe("As it was understood, with every default"),
    state: z.enum(replayStates),
    requestedBy: z.string().nullable().describe("Id of the API key; null: the command line"),
    createdAt: z.string(),
    startedAt: z.string().nullable(),
    endedAt: z.string().nullable(),
    expiresAt: z.string().nullable().describe("When it is removed with its files"),
    attempts: z.number().int().describe("Turns of workers so far: each goes on where the one before saved"),
    progress: z.object({ done: z.number(), total: z.number().nullable() }).nullable(),
    summary: z.unknown().describe("Of one that is done; depends on the kind"),
    error: z.string().nullable().describe("Why it failed"),
    files: z.array(z.object({ name: z.string(), mediaType: z.string(), bytes: z.number().int(), href: z.string() })),
  })
  .meta({ title: "Replay" });
export type ReplayAnswerBody = z.output<typeof replaySchema>;

/** Questions that take minutes: asked for, looked at, fetched. */
export function replayRoutes(app: App, { deps }: Services): void {
  const { replays } = deps;
  const shown = (replay: Replay) => replayJson(replays, replay);
  addRequest(app, deps.replays, shown);

  app.route({
    method: "GET",
    url: "/v1/replays",
    config,
    schema: {
      tags,
      summary: "Replays, newest first",
      querystring: z.strictObject({
        count: wholeNumber(1, 200).default(50),
        cursor: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional().describe("nextCursor of the page before"),
        kind: z
          .string()
          .max(50)
          .optional()
          .describe(replays.kinds.map(({ kind }) => kind).join(", ")),
        state: z.enum(replayStates).optional(),
      }),
      response: {
        200: z.object({ replays: z.array(replaySchema), nextCursor: z.number().int().nullable() }),
        ...problemResponses,
      },
    },
    async handler({ query: { count, cursor: before, kind, state } }) {
      const filter = { ...(before && { before }), ...(kind && { kind }), ...(state && { state }) };
      const found = await replays.list({ limit: count + 1, ...filter });
      const page = found.slice(0, count);
      return { replays: page.map(shown), nextCursor: found.length > count ? (page.at(-1)?.number ?? null) : null };
    },
  });

  app.route({
    method: "GET",
    url: "/v1/replays/:replayId",
    config,
    schema: { tags, summary: "One replay", params: idParams, response: { 200: replaySchema, ...problemResponses } },
    handler: async ({ params: { replayId } }) => shown(await existing(replays, replayId)),
  });

  app.route({
    method: "POST",
    url: "/v1/replays/:replayId/cancel",
    config,
    schema: {
      tags,
      summary: "Cancels a replay that waits or runs",
      description:
        "Its files are gone at once, and its worker stops within some seconds. One that has ended stays as it is.",
      params: idParams,
      response: { 200: replaySchema, ...problemResponses },
    },
    async handler({ params: { replayId } }) {
      await replays.cancel(replayId);
      return shown(await existing(replays, replayId));
    },
  });

  app.route({
    method: "DELETE",
    url: "/v1/replays/:replayId",
    config,
    schema: {
      tags,
      summary: "Removes a replay with its files, whatever its state",
      params: idParams,
      response: { 200: z.object({ replayId: z.string(), removed: z.literal(true) }), ...problemResponses },
    },
    async handler({ params: { replayId } }) {
      if (!(await replays.remove(replayId))) throw noReplay(replayId);
      return { replayId, removed: true as const };
    },
  });
  addFile(app, replays);
}

const requestBody = z.strictObject({ kind: z.string().max(50), input: z.record(z.string(), z.unknown()).default({}) });

/** What each kind takes, for the description: the request itself says which of them is wrong. */
function describedBody({ kinds }: Replays): z.ZodType {
  const [first, ...others] = kinds.map(({ kind, input }) =>
    z.strictObject({ kind: z.literal(kind), input }).meta({ title: `Replay of kind ${kind}` }),
  );
  return first === undefined ? requestBody : z.union([first, ...others]);
}

function addRequest(app: App, replays: Replays, shown: (replay: Replay) => z.input<typeof replaySchema>): void {
  app.route({
    method: "POST",
    url: "/v1/replays",
    config,
    schema: {
      tags,
      summary: "Asks for a replay: an export, a report, a what-if",
      description:
        "Answered at once; a worker does it in the background. With an Idempotency-Key the same request again is answered with the same replay.",
      headers: z.object({ "idempotency-key": keySchema.optional() }),
      body: describedBody(replays),
      response: { 202: replaySchema, ...problemResponses },
    },
    validatorCompiler: acceptsAnything,
    async handler(request, reply) {
      const { kind, input } = valid(requestBody, request.body, "");
      const idempotencyKey = valid(keySchema.nullable(), request.headers["idempotency-key"] ?? null, "idempotency-key");
      const answer = await replays.request({ kind, input, idempotencyKey, ...callerOf(request) });
      const replay = replayOf(answer);
      return reply.code(202).header("location", `/v1/replays/${replay.id}`).send(shown(replay));
    },
  });
}

function valid<Schema extends z.ZodType>(schema: Schema, value: unknown, at: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalid(parsed.error.issues, at);
  return parsed.data;
}

function invalid(issues: readonly z.core.$ZodIssue[], at: string): Problem {
  const errors = fieldProblems(issues).map(({ path, message }) => ({
    ...{ path: [at, path].filter((part) => part !== "").join("."), message },
  }));
  return new Problem("invalid_request", { detail: summaryOf(errors), errors });
}

function addFile(app: App, replays: Replays): void {
  app.route({
    method: "GET",
    url: "/v1/replays/:replayId/files/:name",
    config,
    schema: {
      tags,
      summary: "A file that a replay made, streamed",
      params: idParams.extend({ name: z.string().max(100) }),
      response: {
        200: { description: "The file", content: { "application/octet-stream": { schema: z.string() } } },
        ...problemResponses,
      },
    },
    async handler({ params: { replayId, name } }, reply) {
      const { files, state } = await existing(replays, replayId);
      if (state !== "done") throw new Problem("replay_not_done", { detail: `The replay is ${state}.` });
      const file = files.find((one) => one.name === name);
      if (file === undefined) {
        throw new Problem("not_found", { detail: `It made ${files.map((one) => one.name).join(", ") || "no file"}.` });
      }
      reply.type(file.mediaType).header("content-length", String(file.bytes));
      reply.header("content-disposition", `attachment; filename="${file.name}"`);
      return reply.send(
        Readable.from(replays.content(replayId, file), { objectMode: true, highWaterMark: 1 }) as never,
      );
    },
  });
}

function replayOf(answer: ReplayAnswer): Replay {
  switch (answer.status) {
    case "added":
    case "known":
      return answer.replay;
    case "unknown kind":
      throw invalidField("kind", `there are ${answer.kinds.join(", ")}`);
    case "invalid":
      throw invalid(answer.issues, "input");
    case "operators only":
      throw new Problem("forbidden", { detail: "This input needs a key with the scope operator." });
    case "key used":
      throw new Problem("idempotency_conflict", {
        detail: `It asked for ${answer.replay.id}, which is another replay.`,
      });
    case "full":
      throw new Problem("too_many_replays", { detail: `${answer.open} wait or run already.`, retryAfterSeconds: 60 });
  }
}

const callerOf = ({ caller }: FastifyRequest) => ({
  requestedBy: caller?.keyId ?? null,
  mayAll: caller?.scopes.has("operator") === true,
});

const noReplay = (id: string): Problem =>
  new Problem("not_found", { detail: `There is no replay ${id}: it may have expired.` });

async function existing(replays: Replays, id: string): Promise<Replay> {
  const replay = await replays.get(id);
  if (replay === null) throw noReplay(id);
  return replay;
}

const timeOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

function replayJson(replays: Replays, replay: Replay): z.input<typeof replaySchema> {
  const { id, kind, input, state, requestedBy, attempts, progress, summary, error } = replay;
  const href = ({ name }: ReplayFileInfo): string => `/v1/replays/${id}/files/${name}`;
  return {
    ...{ replayId: id, kind, input, state, requestedBy },
    ...{ createdAt: new Date(replay.createdAt).toISOString(), startedAt: timeOf(replay.startedAt) },
    ...{ endedAt: timeOf(replay.endedAt), expiresAt: timeOf(replays.expiresAt(replay)) },
    ...{ attempts, progress, summary, error },
    files: replay.files.map((file) => ({ ...file, href: href(file) })),
  };
}
