import { z } from "zod";
import { fitScalability, type ScalabilityFit } from "./scalability.ts";

/** What an operation costs, as `load-tests/measure-costs.ts` measures it: the only figures a plan is made from. */

const amount = z.number().nonnegative();

/** Of the rounds of a measurement. */
const spreadSchema = z.strictObject({ median: amount, min: amount, max: amount });

/** CPU seconds of one operation, by whose processor; of Proximal's own process all threads together. */
const operationSchema = z.strictObject({
  app: spreadSchema,
  postgres: spreadSchema.optional(),
  redis: spreadSchema.optional(),
  kafka: spreadSchema.optional(),
});

const pointsSchema = z
  .array(z.strictObject({ n: z.number().positive(), throughput: z.number().positive() }))
  .min(3)
  .describe("Every round of every n; throughput a second");

export const costsSchema = z.strictObject({
  format: z.literal(1),
  measuredAt: z.iso.datetime(),
  command: z.string(),
  /** With the commit that was measured, and the load of the machine. */
  machine: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  settings: z.record(z.string(), z.number()),
  /** What else must be known to read the figures. */
  notes: z.array(z.string()),
  /** CPU seconds. */
  cpu: z.strictObject({
    nextFromMemory: operationSchema.describe("GET next, the row in the memory of the process"),
    nextFromRedis: operationSchema.describe("GET next, the row read from Redis"),
    post: operationSchema.describe("POST of one interaction, many at once"),
    postInBatch: operationSchema.describe("One interaction of a POST of 100"),
    projected: operationSchema.describe("One interaction folded and written, catching up from the log"),
    projectedFromKafka: operationSchema.optional().describe("The same from Kafka; left out where there was none"),
    projectorBatch: operationSchema.describe("What a batch of the projector costs beside its events"),
    trained: operationSchema.describe("One interaction learnt by the trainer"),
    relayed: operationSchema.optional().describe("One event from the log into Kafka; left out where there was none"),
  }),
  bytes: z.strictObject({
    redisPerLearner: amount.describe("Rows of one learner, as Redis holds them"),
    redisBase: amount.describe("An empty Redis with the counters of a course"),
    logPerInteraction: amount.describe("PostgreSQL: table and indexes, for one interaction"),
    logPerServedList: amount.describe("The same for one ItemsServed event"),
    walPerInteraction: amount.describe("PostgreSQL: write-ahead log, for one interaction"),
    eventPerInteraction: amount.describe("Data and metadata as JSON, for one interaction"),
    eventPerServedList: amount.describe("The same for one ItemsServed event"),
    archiveRatio: z.number().positive().describe("Events in the files of the archive over the same as JSON: gzip"),
    kafkaPerInteraction: amount.describe("Key, headers and value of its message, not compressed"),
    nextRequest: amount.describe("On the wire of HTTP/1.1, headers included"),
    nextResponse: amount,
    postRequest: amount,
    postResponse: amount,
    redisPerProjected: amount.describe("Between projector and Redis, for one interaction, both ways"),
    redisPerNext: amount.describe("Between a process and Redis, for one next list read, both ways"),
    postgresPerPost: amount.describe("Between a process and PostgreSQL, for one interaction: estimated, see notes"),
  }),
  /** Commands of Redis, those inside scripts included. */
  redisCommands: z.strictObject({ perProjected: amount, perNextFromRedis: amount }),
  /** Resident memory of a process of the role after the run, bytes. */
  memory: z.strictObject({ api: amount, projector: amount, trainer: amount }),
  scaling: z.strictObject({
    nextByConnections: pointsSchema.describe("One process, n clients that ask one after the other"),
    postByConnections: pointsSchema.describe("The same with durable POSTs"),
    postByProcesses: pointsSchema.describe("n processes on one log, the same few clients each"),
  }),
  /** Wall-clock times of steps, milliseconds, for the simulation. */
  timesMs: z.strictObject({
    commitBase: amount.describe("A durable commit of one event, nobody else there"),
    commitPerEvent: amount.describe("What each further event of a commit adds"),
    commitSerialMax: amount.describe("Between two commits of the whole log, at the highest rate seen"),
    visibleAlone: amount.describe("From the reply to a POST to the row being written, nobody else there"),
    redisRoundTrip: amount,
  }),
});

export type Costs = z.infer<typeof costsSchema>;
export type OperationName = keyof Costs["cpu"];
export type Engine = "app" | "postgres" | "redis" | "kafka";

/** CPU seconds of one operation on one engine; 0 where it does not work there, or was not measured. */
export function cpuOf(costs: Costs, operation: OperationName, engine: Engine): number {
  return costs.cpu[operation]?.[engine]?.median ?? 0;
}

export type ScalingName = keyof Costs["scaling"];

export type Laws = Readonly<Record<ScalingName, ScalabilityFit>>;

export function lawsOf({ scaling }: Costs): Laws {
  return {
    nextByConnections: fitScalability(scaling.nextByConnections),
    postByConnections: fitScalability(scaling.postByConnections),
    postByProcesses: fitScalability(scaling.postByProcesses),
  };
}
