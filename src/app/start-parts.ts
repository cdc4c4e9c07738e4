import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { learnerModels } from "../domain/learner-model/models.ts";
import type { StreamReader, StreamWriter } from "../ports/event-stream.ts";
import type { ReadModels } from "../ports/read-models.ts";
import type { OnVisible } from "../projections/pipeline.ts";
import type { BatchWatch } from "../projections/watched-handle.ts";
import { type CatalogueFollower, createCatalogueFollower } from "../workers/catalogue-follower.ts";
import { createModelFollower, type ModelFollower } from "../workers/model-follower.ts";
import { createProjector, type Projector } from "../workers/projector.ts";
import type { ProjectorOperations } from "../workers/projector-operations.ts";
import { createRelay, type Relay } from "../workers/relay.ts";
import { restoreRowSnapshot } from "../workers/row-snapshots.ts";
import { createStreamProjector } from "../workers/stream-projector.ts";
import type { Engines } from "./compose.ts";
import type { Config } from "./config.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { fillInThreads } from "./threads/fill-threads.ts";
import { startTrainerThread, type TrainerThread } from "./threads/trainer-thread.ts";
import type { Patience } from "./wait-for-engine.ts";

/** Parts of a process, each with its undo in `life`. */
export function startCatalogue({ feed }: Engines, life: Lifecycle, log: Logger): Promise<CatalogueFollower> {
  return life.acquire(
    "catalogue",
    async () => {
      const follower = createCatalogueFollower({ feed, log });
      await follower.start();
      const { items, skills, tracks } = follower.catalogue;
      log.info({ items: items.size, skills: skills.size, tracks: tracks.size }, "catalogue read");
      return follower;
    },
    (follower) => follower.stop(),
  );
}

export function startModel(config: Config, engines: Engines, life: Lifecycle, log: Logger): Promise<ModelFollower> {
  const { feed, blobs } = engines;
  return life.acquire(
    "model",
    async () => {
      const follower = createModelFollower({ feed, blobs, model: learnerModels[config.model], log });
      await follower.catchUp();
      return follower;
    },
    (follower) => follower.stop(),
  );
}

/** Whichever way its events come: by the log's own feed, or by a stream that several processes share. */
export type AnyProjector = Pick<
  Projector,
  "start" | "stop" | "position" | "status" | "caughtUp" | "parked" | "retry"
> & {
  /** null: the partitions are shared with other processes, and so is what operators ask. */
  readonly operations: ProjectorOperations | null;
};

export type ProjectorEngines = Engines & {
  readonly readModels: ReadModels;
  readonly batches: BatchWatch;
  readonly onVisible: OnVisible | undefined;
};

export function startProjector(
  config: Config,
  { feed, eventStore, blobs, readModels, batches, onVisible }: ProjectorEngines,
  stream: StreamReader | null,
  { life, log, patience }: { readonly life: Lifecycle; readonly log: Logger; readonly patience: Patience },
): Promise<AnyProjector> {
  const model = learnerModels[config.model];
  const own = {
    feed,
    store: eventStore,
    blobs,
    readModels,
    model,
    clock: { now: Date.now },
    log,
    ...batches,
    onVisible,
  };
  const restore = (namespace: string, partition: number) => restoreRowSnapshot(own, namespace, partition);
  // What this process has in memory is lost with it only, and cannot be filled by other threads.
  const shared = config.redisUrl !== undefined;
  const deps = shared ? { ...own, restore } : own;
  const rebuilding = shared ? { fill: fillInThreads(config, readModels) } : { sweptPerSecond: 0 };
  return life.acquire(
    "projector",
    async () => {
      const projector =
        stream === null
          ? createProjector(deps, { partitions: config.partitions, ...rebuilding })
          : { ...createStreamProjector({ ...deps, stream }), operations: null };
      await patience.untilOpen("the read models (REDIS_URL)", () => projector.start());
      return projector;
    },
    (projector) => projector.stop(),
  );
}

export function startRelay(
  { feed, blobs, lease }: Engines,
  stream: StreamWriter,
  life: Lifecycle,
  log: Logger,
): Promise<Relay> {
  return life.acquire(
    "relay",
    async () => {
      const relay = createRelay({ feed, stream, blobs, lease, holder: randomUUID(), log });
      await relay.start();
      return relay;
    },
    (relay) => relay.stop(),
  );
}

/** Ready to train, and waits for the word: catching up comes first, it would take its time from that. */
export function startTrainer(config: Config, life: Lifecycle, log: Logger): Promise<TrainerThread> {
  return life.acquire(
    "trainer",
    () => startTrainerThread(config, log),
    (thread) => thread.stop(),
  );
}
