import type { RateProfile } from "./arrivals.ts";
import type { Duration } from "./durations.ts";
import type { LatencySummary } from "./latencies.ts";
import type { Pause } from "./station.ts";

/** What is simulated: a pipeline, a time that it lives through, and what is told of it. */

/** Names and defaults follow the settings of the product: what is not measured is what the code says. */
export interface PipelineModel {
  readonly api: {
    readonly processes: number;
    /** "random": each request goes to any process; "shared": to one that is free. */
    readonly balancing: "random" | "shared";
    /** CPU for a POST and for a next list from memory, and what one more that is read from Redis takes. */
    readonly post: Duration;
    readonly next: Duration;
    readonly nextRead: Duration;
    readonly memoryHitShare: number;
    /** To the process and back, of any request: network, and what clients take. */
    readonly transport: Duration;
    /** Wait for Redis before an answer is given from memory, stale. */
    readonly readWaitMs: number;
  };
  readonly commit: {
    /** Of a commit with one event, what further events add, and the part of it that the log does one at a time. */
    readonly base: Duration;
    readonly perEventMs: number;
    readonly serialMs: number;
    readonly eventsMax: number;
    readonly inFlightMax: number;
    /** Events that must wait, and as many as are under way, for a commit to be started beside another. */
    readonly besideFrom: number;
    /** Events that wait in a process at the most; beyond it posts are refused. */
    readonly queueMax: number;
  };
  readonly feed: {
    /** From the commit to whoever reads the log having it. */
    readonly wake: Duration;
    /** null: projectors read the log. */
    readonly relay: { readonly batch: Duration; readonly perEventMs: number; readonly eventsMax: number } | null;
  };
  readonly projector: {
    readonly partitions: number;
    readonly workers: number;
    /** CPU for a batch beside its events, and for an event. */
    readonly batch: Duration;
    readonly event: Duration;
    readonly eventsMax: number;
    /** Writing a batch to Redis, and what each event adds. */
    readonly write: Duration;
    readonly writeEventMs: number;
    readonly writeDeadlineMs: number;
    readonly retryMs: number;
    readonly retryMsMax: number;
    /** Until a new worker takes part, and how long partitions stand still while they are dealt anew. */
    readonly startMs: number;
    readonly rebalanceMs: number;
  };
  readonly redisRoundTrip: Duration;
  /** From the row being written to a query that waits for it having it. */
  readonly notice: Duration;
}

export const engines = ["redis", "log", "projector", "relay"] as const;
export type Engine = (typeof engines)[number];

/** An engine that stands still: what it has in hand goes on afterwards. */
export interface Outage extends Pause {
  readonly engine: Engine;
}

export interface Scenario {
  readonly seconds: number;
  readonly posts: RateProfile;
  readonly nexts: RateProfile;
  readonly outages: readonly Outage[];
  readonly seed: number;
  /** Arrivals of so many milliseconds are taken together; 0: one by one. Left out: as fine as five million of them allow. */
  readonly resolutionMs?: number;
  /** Latencies are told of what arrives from then on. */
  readonly warmUpSeconds?: number;
  /** Between two samples of the timeline. */
  readonly sampleSeconds?: number;
}

/** What a controller sees, of the time since it was asked last. */
export interface Observation {
  readonly atSeconds: number;
  readonly workers: number;
  /** Those that were asked for and do not take part yet, too. */
  readonly workersAsked: number;
  readonly partitions: number;
  readonly lagEvents: number;
  /** Age of the oldest event that is not folded. */
  readonly lagSeconds: number;
  readonly lagByPartition: readonly number[];
  /** Events a second. */
  readonly rateIn: number;
  readonly rateOut: number;
  /** Share of the workers' time that they were busy: what scaling by CPU goes by. */
  readonly busyShare: number;
}

/** Is asked at intervals; answers how many workers there shall be, or null to leave it. */
export interface Controller {
  readonly everySeconds: number;
  decide(observation: Observation): number | null;
}

export interface Sample {
  readonly atSeconds: number;
  /** Events a second since the sample before. */
  readonly rateIn: number;
  readonly rateOut: number;
  readonly lagEvents: number;
  readonly lagSeconds: number;
  readonly workers: number;
  /** Events that wait for the log or are being committed. */
  readonly waiting: number;
}

export interface SimulationResult {
  /** Interactions: each is refused, or stored and folded, or still on its way at the end. */
  readonly interactions: {
    readonly arrived: number;
    readonly refused: number;
    readonly committed: number;
    readonly folded: number;
    /** Still on its way: in a process, in the log but not with a projector, or with one. */
    readonly notCommitted: number;
    readonly notFolded: number;
  };
  readonly post: LatencySummary;
  readonly next: LatencySummary & { readonly staleShare: number };
  /** From sending an answer to holding a next list that includes it. */
  readonly visible: LatencySummary;
  readonly lag: {
    readonly eventsMax: number;
    readonly secondsMax: number;
    /** Share of the samples with a lag of more than a second, and of more than ten. */
    readonly shareOver1s: number;
    readonly shareOver10s: number;
  };
  readonly commits: { readonly count: number; readonly eventsMean: number };
  readonly batches: { readonly count: number; readonly eventsMean: number; readonly failed: number };
  /** Of the time of each server. */
  readonly utilisation: { readonly api: number; readonly workers: number };
  readonly workerHours: number;
  readonly workersMax: number;
  /** Times that the number of workers was changed. */
  readonly scalings: number;
  readonly resolutionMs: number;
  readonly timeline: readonly Sample[];
}
