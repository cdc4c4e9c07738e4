import type { JobQueue } from "../ports/job-queue.ts";
import type { Log } from "../ports/log.ts";
import type { ReadModels } from "../ports/read-models.ts";
import type { Follower } from "../queries/lag.ts";
import { createLagSampler } from "../queries/lag-sampler.ts";
import { createQueueWatch, type WatchedQueue } from "../queries/queue-lag.ts";
import type { CatalogueFollower } from "../workers/catalogue-follower.ts";
import type { Engines } from "./compose.ts";
import type { OpenReadModels } from "./compose-rows.ts";
import { jobsQueue, openJobs, type QueueOptions, replaysQueue } from "./compose-stream.ts";
import type { Config } from "./config.ts";
import {
  catalogueHere,
  type Projecting,
  projectorElsewhere,
  projectorHere,
  relayAnywhere,
  trainerHere,
} from "./followers.ts";
import { type FreshnessHere, watchFreshness } from "./freshness.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { once } from "./once.ts";
import type { TrainerThread } from "./threads/trainer-thread.ts";
import { noPatience } from "./wait-for-engine.ts";

/** What this process works with; null where that is not its work. */
interface Watching {
  readonly config: Config;
  readonly engines: Pick<Engines, "blobs" | "feed">;
  readonly rows: OpenReadModels | null;
  /** The rows of this deployment, from wherever they can be read; null where they are in another process's memory. */
  readonly rowsAnywhere: (() => Promise<ReadModels>) | null;
  readonly freshness: FreshnessHere | null;
  readonly projector: Projecting | null;
  readonly answering: { readonly catalogue: CatalogueFollower } | null;
  readonly trainer: TrainerThread | null;
  readonly jobs: Pick<JobQueue, "counts"> | null;
  readonly replayQueue: Pick<JobQueue, "counts"> | null;
  readonly life: Lifecycle;
  readonly log: Log;
}

/**
 * All of the deployment that the settings of this process lead to: whichever process operators and Prometheus ask, it tells of all
 * partitions, of the relay and of the queues. Engines that its own work does without are opened when somebody first asks, and nothing
 * depends on their being there.
 */
export function watchDeployment(watching: Watching) {
  const { config, engines, answering, trainer } = watching;
  const clock = { now: Date.now };
  const followers = [
    ...projections(watching),
    ...(answering === null ? [] : [catalogueHere(answering.catalogue)]),
    ...(config.kafkaBrokers.length === 0 ? [] : [relayAnywhere(engines.blobs, config.kafkaTopic)]),
    ...(trainer === null ? [] : [trainerHere(trainer)]),
  ];
  return {
    lag: createLagSampler({ feed: engines.feed, clock, followers }),
    queues: createQueueWatch(queues(watching), clock),
    freshness: watchFreshness(config, engines.blobs, watching.freshness),
  };
}

function projections({ config, rows, rowsAnywhere, projector }: Watching): Follower[] {
  const { partitions, kafkaBrokers } = config;
  // Its own positions are newer than those it has written.
  if (projector !== null && kafkaBrokers.length === 0) return projectorHere(projector, partitions);
  if (rows !== null) return projectorElsewhere(rows.readModels, partitions);
  return rowsAnywhere === null ? [] : projectorElsewhere(rowsAnywhere, partitions);
}

function queues({ config, jobs, replayQueue, life, log }: Watching): WatchedQueue[] {
  const watch = (options: QueueOptions, opened: Pick<JobQueue, "counts"> | null): WatchedQueue[] => {
    const { queue } = options;
    if (opened !== null) return [{ queue, counts: () => opened.counts() }];
    // In a process's own memory they are seen by that one only.
    if (config.jobsRedisUrl === undefined) return [];
    const open = once(() => openJobs(config, options, life, log, noPatience));
    return [{ queue, counts: async () => (await open()).counts() }];
  };
  return [...watch(jobsQueue(config), jobs), ...watch(replaysQueue(config), replayQueue)];
}
