import { z } from "zod";

/** What a deployment has to carry, and how it is run. Every field has its unit in its description; all have defaults. */

const share = z.number().min(0).max(1);
const positive = z.number().positive();

export const workloadSchema = z.strictObject({
  learners: z.number().int().min(1).max(1e9).default(10_000).describe("Learners that have rows, active or not"),
  activeShare: share.default(0.4).describe("Share of the learners who do something on a day"),
  interactionsPerDay: positive.max(1e5).default(30).describe("Interactions of an active learner on a day"),
  nextPerInteraction: z.number().min(0).max(100).default(1.1).describe("Next lists asked for, for each interaction"),
  otherQueriesPerInteraction: z
    .number()
    .min(0)
    .max(100)
    .default(0.2)
    .describe("Scores, reviews, history and the like, for each interaction; counted as next lists read from Redis"),
  secondsPerInteraction: positive.max(3600).default(20).describe("Between two interactions of a learner at work"),
  peakFactor: z.number().min(1).max(100).default(5).describe("Rate of the busiest minutes over the mean of the day"),
  interactionsPerPost: z.number().min(1).max(1000).default(1).describe("Interactions in one POST in the mean"),
  servedSample: share.default(1).describe("PROXIMAL_SERVED_SAMPLE: share of the next lists recorded in the log"),
  memoryHitShare: share.default(0.5).describe("Share of next lists whose row is in the memory of the process"),
  log: z.enum(["postgres", "eventstoredb"]).default("postgres").describe("Engine of the event log"),
  retentionDays: positive.max(36_500).default(90).describe("Days that events stay in the database of the log"),
  archiveDays: z.number().min(0).max(36_500).default(1825).describe("Days that they stay as files after that"),
  logReplicas: z
    .number()
    .int()
    .min(0)
    .max(10)
    .default(1)
    .describe("Streaming replicas of PostgreSQL beside the primary"),
  eventStoreNodes: z.number().int().min(1).max(9).default(3).describe("Nodes of EventStoreDB, each with all events"),
  redisReplicas: z.number().int().min(0).max(5).default(1).describe("Replicas of each shard of Redis"),
  kafkaReplication: z.number().int().min(1).max(5).default(3).describe("Copies of each message in Kafka"),
  kafkaRetentionDays: positive.max(365).default(3).describe("Days that Kafka keeps messages"),
  zones: z
    .number()
    .int()
    .min(1)
    .max(9)
    .default(3)
    .describe("Zones that processes are spread over, of which one may go"),
});

export type Workload = z.infer<typeof workloadSchema>;

/** How full things may be, and how fast a backlog has to go. */
export const rulesSchema = z.strictObject({
  utilisationMax: z.number().min(0.05).max(0.95).default(0.6).describe("Of a core at the peak, one zone being gone"),
  queueWaitP99Ms: positive.default(5).describe("Wait for a process to take a request up, 99 % of requests"),
  outageMinutes: z.number().min(0).default(10).describe("The longest that projection stands still at the peak"),
  catchUpMinutes: positive.default(30).describe("In which projectors make up for that, at the peak"),
  coreSpeed: z
    .number()
    .min(0.05)
    .max(20)
    .default(1)
    .describe("Speed of a core of the fleet over a core of the machine that was measured"),
  redisShardGb: positive.default(12).describe("Memory that one shard of Redis may use"),
  redisMemoryFactor: z
    .number()
    .min(1)
    .default(1.5)
    .describe("Memory given over memory used: fragmentation, buffers, a copy while it forks"),
  partitionsPerWorker: z
    .number()
    .int()
    .min(1)
    .default(4)
    .describe("Partitions for each projector at the least, so that they can be dealt evenly and there is room to grow"),
  diskOfNodeMaxTb: positive.default(64).describe("Largest disk that a node of the log may have, in TB"),
  diskFree: z.number().min(0).max(0.9).default(0.3).describe("Share of a disk that stays empty"),
});

export type Rules = z.infer<typeof rulesSchema>;

/** The whole of a workload file. */
export const workloadFileSchema = z.strictObject({
  workload: workloadSchema.prefault({}),
  rules: rulesSchema.prefault({}),
});

const secondsPerDay = 86_400;

export interface Demand {
  /** Means over a day. */
  readonly interactionsPerDay: number;
  readonly servedPerDay: number;
  /** At the peak, a second. */
  readonly interactionsPerSecond: number;
  readonly postsPerSecond: number;
  readonly nextPerSecond: number;
  readonly otherQueriesPerSecond: number;
  readonly requestsPerSecond: number;
  readonly servedPerSecond: number;
  /** Events that are appended, a second. */
  readonly eventsPerSecond: number;
  /** Learners at work at the same time, by Little's law: rate x time between two interactions. */
  readonly concurrentLearners: number;
}

export function demandOf(workload: Workload): Demand {
  const interactionsPerDay = workload.learners * workload.activeShare * workload.interactionsPerDay;
  const interactionsPerSecond = (interactionsPerDay / secondsPerDay) * workload.peakFactor;
  const postsPerSecond = interactionsPerSecond / workload.interactionsPerPost;
  const nextPerSecond = interactionsPerSecond * workload.nextPerInteraction;
  const otherQueriesPerSecond = interactionsPerSecond * workload.otherQueriesPerInteraction;
  const servedPerInteraction = workload.nextPerInteraction * workload.servedSample;
  const servedPerSecond = interactionsPerSecond * servedPerInteraction;
  return {
    interactionsPerDay,
    servedPerDay: interactionsPerDay * servedPerInteraction,
    interactionsPerSecond,
    postsPerSecond,
    nextPerSecond,
    otherQueriesPerSecond,
    requestsPerSecond: postsPerSecond + nextPerSecond + otherQueriesPerSecond,
    servedPerSecond,
    eventsPerSecond: interactionsPerSecond + servedPerSecond,
    concurrentLearners: interactionsPerSecond * workload.secondsPerInteraction,
  };
}
