import type { FastifyBaseLogger, FastifyPluginCallback } from "fastify";
import type { GroupCommitOptions } from "../commands/group-commit.ts";
import type { ApiKeys } from "../ports/api-keys.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { Clock } from "../ports/clock.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Feed } from "../ports/feed.ts";
import type { ModelReader } from "../ports/model-reader.ts";
import type { Presence } from "../ports/presence.ts";
import type { ReadModels } from "../ports/read-models.ts";
import type { Tracing } from "../ports/tracing.ts";
import type { Freshness } from "../queries/freshness.ts";
import type { Follower } from "../queries/lag.ts";
import type { LagSampler } from "../queries/lag-sampler.ts";
import type { QueueWatch } from "../queries/queue-lag.ts";
import type { Replays } from "../queries/replays/replays.ts";
import type { ScalingWatch } from "../queries/scaling/scaling-watch.ts";
import type { ProjectorOperations } from "../workers/projector-operations.ts";
import type { EngineMetrics } from "./engine-metrics.ts";
import type { SharedLimiter } from "./rate-limit.ts";

export interface ServerOptions {
  /** Requests a minute that one API key may make; null for no limit. Default 600,000. */
  readonly rateLimitPerMinute?: number | null;
  /** Origins that browsers may call from: [] for none (default), ["*"] for any. */
  readonly corsOrigins?: readonly string[];
  /** Largest JSON body in bytes. Default 1 MiB. NDJSON is streamed and has no such limit. */
  readonly bodyLimit?: number;
  /** Longest line of NDJSON in bytes. Default 64 KiB. */
  readonly ndjsonLineLimit?: number;
  /** /metrics for anyone who can connect. Default false: for an operator's key, or from loopback. */
  readonly openMetrics?: boolean;
  /** /readyz fails when a projection is behind by more. Default 60 seconds. */
  readonly staleAfterSeconds?: number;
  /** Longest wait of `after=`. Default 1,000 ms. */
  readonly freshnessWaitMs?: number;
  /** Items in a full precomputed list, as the projector was told. Default 30. */
  readonly listSize?: number;
  /** Requests are refused, by class, while the event loop is late by more. Milliseconds; 0, the default: never. */
  readonly shedDelayMs?: number;
  /** Events folded for one answer about the past of many learners. Default 200,000. */
  readonly pastEventsMax?: number;
  /** Share, 0..1, of the next lists given out that are recorded. Default 0. */
  readonly servedShare?: number;
  /** Bytes of learners' rows, and of answers made of them, held in memory; 0 for none. Default 128 MiB. */
  readonly rowBytesMax?: number;
  /** How long the server may take, before it is built, to read what is asked for most into memory. Default 0: it does not. */
  readonly warmUpMs?: number;
  readonly trustProxy?: boolean;
  /** No commands. Default false. */
  readonly readOnly?: boolean;
  readonly groupCommit?: Omit<GroupCommitOptions, "onCommit" | "onRefused">;
}

/** Other processes that answer on the same port. */
export interface Siblings {
  /** Metrics of all of them together, this one included, in Prometheus' text format. */
  metrics(): Promise<string>;
  /** Keeps the counts of this process and of the others together from now on. */
  shareLimits(limits: SharedLimiter): void;
}

/** What of a deployment can be seen from one process. */
export interface Watched {
  readonly lag: Pick<LagSampler, "read">;
  readonly queues: QueueWatch;
  /** Left out: nothing is known of it. */
  freshness?(): Promise<Freshness>;
}

/** What any server of Proximal stands on, also one that answers nobody but operators. */
export interface OperatorDeps {
  readonly feed: Feed;
  readonly apiKeys: ApiKeys;
  readonly clock: Clock;
  /** UUIDs. */
  readonly randomId: () => string;
  /** pino, or anything of its shape. */
  readonly log: FastifyBaseLogger;
  /** Projections, catalogue, trainer: what this process is not ready without. */
  readonly followers: readonly Follower[];
  /** What of the whole deployment can be seen from here, for lag and metrics. Left out: the followers. */
  readonly watched?: Watched;
  /** How many workers each role needs. Left out: this process does not watch. */
  readonly scaling?: ScalingWatch;
  /** null: nothing leads from this process to the rows. */
  readonly operations: ProjectorOperations | null;
  /** How many learners are parked of the partitions that this process projects; null: it projects none. */
  readonly parkedHere: (() => number) | null;
  readonly presence: Pick<Presence, "present">;
  /** Metrics of the engines, shown with the server's own. */
  readonly engineMetrics?: Pick<EngineMetrics, "register">;
  /** Left out: no request is traced. */
  readonly tracing?: Tracing | undefined;
  /** Engines that must answer before this is ready, beside the log and what the followers read. */
  readonly engines?: readonly { readonly name: string; answers(): Promise<unknown> }[];
  /** Left out: this process is by itself. */
  readonly siblings?: Siblings | undefined;
  /** Aborted a moment before the server is closed; see drain.ts. */
  readonly leaving?: AbortSignal;
  readonly options?: ServerOptions;
}

/** The pages below /console. */
export interface Console {
  /** Folder of the built pages (see console/); null where they were not built. */
  readonly folder: string | null;
  /** A page of the queues as a plugin for this path; null where jobs run in the process, which has no queue to show. */
  readonly jobsBoard: ((path: string) => FastifyPluginCallback) | null;
}

/** Everything the server of commands and queries stands on. Wired in app/. */
export interface ServerDeps extends OperatorDeps {
  readonly eventStore: EventStore;
  readonly readModels: ReadModels;
  readonly catalogue: CatalogueReader;
  readonly model: ModelReader;
  /** The log as analysts read it: a replica may answer. Left out: the log itself. */
  readonly analysts?: Pick<EventStore, "readStream"> & Feed;
  /** Published weights and kept counters, for questions about the past. Left out: none are answered. */
  readonly blobs?: Blobs;
  readonly replays: Replays;
  /** Left out: there are no pages but the documentation. */
  readonly console?: Console;
}
