import { type Costs, cpuOf } from "../capacity/costs.ts";
import type { PipelineModel } from "./model.ts";

export interface PipelineSize {
  readonly apiProcesses: number;
  readonly partitions: number;
  readonly workers: number;
  /** Whether a relay and Kafka stand between log and projectors. */
  readonly streamed: boolean;
  readonly memoryHitShare: number;
}

/**
 * The pipeline with the costs of a measurement. CPU seconds are taken as what a step takes where a core is free; how much
 * steps vary was not measured: CPU is taken as exponential for requests, and half of its mean for batches and commits.
 */
export function pipelineModelOf(costs: Costs, size: PipelineSize): PipelineModel {
  const { timesMs } = costs;
  const ms = (operation: Parameters<typeof cpuOf>[1], engine: Parameters<typeof cpuOf>[2] = "app"): number =>
    cpuOf(costs, operation, engine) * 1000;
  const event =
    size.streamed && costs.cpu.projectedFromKafka !== undefined ? ms("projectedFromKafka") : ms("projected");
  const batch = ms("projectorBatch");
  // The counters, then the learners' rows.
  const write = 2 * timesMs.redisRoundTrip;
  const wake = Math.max(0.1, timesMs.visibleAlone - batch - event - write - timesMs.redisRoundTrip);
  return {
    api: {
      ...{ processes: size.apiProcesses, balancing: "random", memoryHitShare: size.memoryHitShare, readWaitMs: 100 },
      // Within one data centre.
      transport: { meanMs: 0.3, cv: 0.5 },
      post: { meanMs: ms("post"), cv: 1 },
      next: { meanMs: ms("nextFromMemory"), cv: 1 },
      nextRead: { meanMs: Math.max(0, ms("nextFromRedis") - ms("nextFromMemory")), cv: 1 },
    },
    commit: {
      base: { meanMs: timesMs.commitBase, cv: 0.5 },
      perEventMs: timesMs.commitPerEvent,
      serialMs: Math.min(timesMs.commitSerialMax, timesMs.commitBase),
      ...{ eventsMax: 500, inFlightMax: 2, besideFrom: 32, queueMax: 50_000 },
    },
    feed: {
      wake: { meanMs: wake, cv: 0.5 },
      // The second millisecond is Kafka's: acknowledged by its replicas, and fetched.
      relay: size.streamed ? { batch: { meanMs: 2, cv: 0.5 }, perEventMs: ms("relayed"), eventsMax: 1000 } : null,
    },
    projector: {
      ...{ partitions: size.partitions, workers: size.workers, eventsMax: 20_000 },
      batch: { meanMs: batch, cv: 0.5 },
      event: { meanMs: event, cv: 0.5 },
      write: { meanMs: write, cv: 0.5 },
      writeEventMs: ms("projected", "redis"),
      ...{ writeDeadlineMs: 5000, retryMs: 100, retryMsMax: 10_000, startMs: 15_000, rebalanceMs: 3000 },
    },
    redisRoundTrip: { meanMs: timesMs.redisRoundTrip, cv: 1 },
    notice: { meanMs: timesMs.redisRoundTrip, cv: 1 },
  };
}
