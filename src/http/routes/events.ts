import { Readable } from "node:stream";
import { z } from "zod";
import { type EventType, eventSchemas, idSchema } from "../../domain/events.ts";
import { streamCategories } from "../../domain/streams.ts";
import type { Feed } from "../../ports/feed.ts";
import { exportEvents } from "../../queries/events.ts";
import { ndjsonType } from "../body-parsers.ts";
import { invalidField } from "../problem.ts";
import { listOf, listSchema, problemResponses, wholeNumber } from "../schemas.ts";
import type { App, Services } from "../services.ts";

const eventTypes = Object.keys(eventSchemas) as EventType[];

const querySchema = z.strictObject({
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER)
    .default(0)
    .describe("Position to read after; resumes an earlier answer"),
  limit: wholeNumber(1, Number.MAX_SAFE_INTEGER).default(Number.MAX_SAFE_INTEGER).describe("All when left out"),
  category: listSchema.describe(streamCategories.join(", ")),
  type: listSchema.describe(eventTypes.join(", ")),
  learner: idSchema.optional(),
  from: z.iso.datetime({ offset: true }).optional().describe("Recorded at this time or later"),
  to: z.iso.datetime({ offset: true }).optional().describe("Recorded before this time"),
  follow: z.enum(["true", "false"]).default("false").describe("Goes on with new events until the client leaves"),
});

export function eventRoutes(app: App, { deps, closing }: Services): void {
  const { analysts } = deps;
  const reads = analysts === undefined ? deps : { feed: analysts, eventStore: analysts };
  app.route({
    method: "GET",
    url: "/v1/events",
    config: { scopes: ["analyst"] },
    schema: {
      tags: ["analysts"],
      summary: "The log, as NDJSON in order of position",
      description:
        "Streamed as fast as it is read. Each line has a position: give the last one as after to go on. Header x-log-head: position of the last event when the answer began.",
      produces: [ndjsonType],
      querystring: querySchema,
      response: {
        200: {
          description: "One event a line",
          content: { [ndjsonType]: { schema: z.string() } },
        },
        ...problemResponses,
      },
    },
    async handler(request, reply) {
      const { after, limit, learner, from, to, follow } = request.query;
      const filter = {
        ...{ after, limit, follow: follow === "true", learnerIds: learner === undefined ? undefined : [learner] },
        categories: oneOf("category", listOf(request.query.category), streamCategories),
        types: oneOf("type", listOf(request.query.type), eventTypes),
        ...{ from: timeOf(from), to: timeOf(to) },
      };
      const gone = new AbortController();
      reply.raw.once("close", () => gone.abort());
      const head = await reads.feed.head();
      if (after > 0 && after < head && learner === undefined) await mustBePlace(reads.feed, after);
      reply.header("x-log-head", String(head));
      const lines = exportEvents(reads, filter, AbortSignal.any([gone.signal, closing]));
      reply.type(ndjsonType);
      // A reader who follows is told at once that it does, not with the first event to come.
      reply.raw.once("pipe", () => reply.raw.flushHeaders());
      // Pages of text, two at the most ahead of the reader.
      return reply.send(Readable.from(lines, { objectMode: true, highWaterMark: 1 }) as never);
    },
  });
}

/** Where positions have gaps, only one that was handed out is a place to read on from. */
async function mustBePlace(feed: Feed, after: number): Promise<void> {
  try {
    await feed.read(after, 1);
  } catch (error) {
    throw error instanceof RangeError ? invalidField("after", `${after} is no position of this log`) : error;
  }
}

const timeOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Date.parse(text));

function oneOf<T extends string>(path: string, values: string[] | null, allowed: readonly T[]): T[] | undefined {
  if (values === null) return undefined;
  const known: readonly string[] = allowed;
  for (const value of values) {
    if (known.includes(value)) continue;
    throw invalidField(path, `"${value.slice(0, 50)}" is none of ${allowed.join(", ")}`);
  }
  return values as T[];
}
