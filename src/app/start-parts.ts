import type { Logger } from "pino";
import { learnerModels } from "../domain/learner-model/models.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { type CatalogueFollower, createCatalogueFollower } from "../workers/catalogue-follower.ts";
import { createModelFollower, type ModelFollower } from "../workers/model-follower.ts";
import { createProjector, type Projector } from "../workers/projector.ts";
import type { Engines } from "./compose.ts";
import type { Config } from "./config.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { startTrainerThread, type TrainerThread } from "./trainer-thread.ts";

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

export function startProjector(
  config: Config,
  { feed, eventStore, blobs, readModels }: Engines & { readonly readModels: ReadModels },
  life: Lifecycle,
  log: Logger,
): Promise<Projector> {
  return life.acquire(
    "projector",
    async () => {
      const model = learnerModels[config.model];
      const deps = { feed, store: eventStore, blobs, readModels, model, clock: { now: Date.now }, log };
      const projector = createProjector(deps, { partitions: config.partitions });
      await projector.start();
      return projector;
    },
    (projector) => projector.stop(),
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
