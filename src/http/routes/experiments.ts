import { z } from "zod";
import { idSchema, masteryNeedsSchema } from "../../domain/events.ts";
import { type ExperimentInLog, experimentsInLog } from "../../queries/experiments/experiments-in-log.ts";
import { type MeasureName, measures } from "../../queries/experiments/learner-figures.ts";
import { experimentResults } from "../../queries/experiments/results.ts";
import { resultsJson } from "../../queries/experiments/results-text.ts";
import { TooMuchHistory } from "../../queries/time-travel/past-counters.ts";
import { Problem } from "../problem.ts";
import { problemResponses } from "../schemas.ts";
import { type App, analystReads, type Services } from "../services.ts";

const experimentShape = {
  experimentId: z.string(),
  trackId: z.string(),
  status: z.enum(["running", "ended"]),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  from: z.number().int().describe("Of the log: it began after this"),
  to: z.number().int().nullable().describe("Of the log: it ended here"),
  changes: z.number().int().describe("Times that shares, arms or the track's policy changed while it ran"),
};
const armShape = { arm: z.string(), share: z.number() };

const listSchema = z
  .object({
    experiments: z.array(
      z.object({
        ...experimentShape,
        arms: z.array(z.object({ ...armShape, policy: z.looseObject({}) })).describe("The first is the control"),
      }),
    ),
  })
  .meta({ title: "Experiments" });

const number = z.number().nullable();
const estimateShape = { title: z.string(), estimate: number, low: number, high: number, n: z.number().int() };
const figuresOf = <T extends z.ZodType>(one: T) =>
  z.object(Object.fromEntries(Object.keys(measures).map((name) => [name, one])) as Record<MeasureName, T>);

const resultsSchema = z
  .object({
    ...experimentShape,
    position: z.number().int().describe("Of the log: what is counted ends here"),
    model: z.string(),
    modelVersion: z.number().int().describe("Of the weights that all mastery is measured with"),
    masteryThreshold: z.number(),
    masteryNeeds: masteryNeedsSchema,
    learners: z.number().int(),
    moved: z.number().int().describe("Seen in two arms, and left out"),
    arms: z.array(
      z.object({
        ...armShape,
        control: z.boolean(),
        learners: z.number().int(),
        measures: figuresOf(z.object(estimateShape)).describe("95 % intervals over learners"),
        differences: figuresOf(
          z.object({
            ...estimateShape,
            alwaysLow: number.describe("alwaysLow to alwaysHigh holds at every look at once, low to high at one look"),
            alwaysHigh: number,
          }),
        )
          .nullable()
          .describe("This arm less the control; null for the control"),
      }),
    ),
    warnings: z.array(z.string()),
  })
  .meta({ title: "ExperimentResults" });

const config = { scopes: ["analyst", "author"] as const };
const tags = ["analysts"];

export function experimentRoutes(app: App, { deps, options, closing }: Services): void {
  const reads = analystReads(deps);
  /** One at a time: each reads much of the log. Who asks for the same meanwhile is given the same. */
  let underWay: { readonly experimentId: string; readonly results: Promise<object> } | null = null;

  async function fold(experimentId: string): Promise<object> {
    const { blobs, model, log } = deps;
    if (blobs === undefined) throw new Problem("not_ready", { detail: "This process cannot read the models." });
    const experiment = await find(experimentId);
    const folding = { ...reads, blobs, model: model.model, log };
    const results = await experimentResults(folding, experiment, { eventsMax: options.pastEventsMax, signal: closing });
    return resultsJson(results);
  }

  async function find(experimentId: string): Promise<ExperimentInLog> {
    const found = (await experimentsInLog(reads.feed)).find((one) => one.experimentId === experimentId);
    if (found === undefined) throw new Problem("not_found", { detail: `There is no experiment ${experimentId}.` });
    return found;
  }

  function resultsOf(experimentId: string): Promise<object> {
    if (underWay?.experimentId === experimentId) return underWay.results;
    if (underWay !== null) {
      const detail = `The results of ${underWay.experimentId} are being counted.`;
      throw new Problem("busy", { detail, retryAfterSeconds: 1 });
    }
    const results = fold(experimentId).finally(() => {
      underWay = null;
    });
    underWay = { experimentId, results };
    return results;
  }

  app.route({
    method: "GET",
    url: "/v1/experiments",
    config,
    schema: { tags, summary: "Experiments, running and ended", response: { 200: listSchema, ...problemResponses } },
    handler: async () => ({ experiments: await experimentsInLog(reads.feed) }) as never,
  });

  app.route({
    method: "GET",
    url: "/v1/experiments/:experimentId/results",
    config,
    schema: {
      tags,
      summary: "What came of an experiment so far, by arm, with intervals",
      description: "Counted from the log at each request; with many events, as a replay of the kind `experiment`.",
      params: z.object({ experimentId: idSchema }),
      response: { 200: resultsSchema, ...problemResponses },
    },
    async handler({ params: { experimentId } }) {
      try {
        return (await resultsOf(experimentId)) as never;
      } catch (error) {
        if (!(error instanceof TooMuchHistory)) throw error;
        const detail = `This takes more than ${options.pastEventsMax} events. Have it counted in the background: POST /v1/replays {"kind":"experiment","input":{"experiment":"${experimentId}"}}.`;
        throw new Problem("too_much_history", { detail });
      }
    },
  });
}
