import { learnerModels } from "../domain/learner-model/models.ts";
import type { Log } from "../ports/log.ts";
import { CannotRebuild, type RebuildProgress, type Rebuilt, rebuildRows, rollBack } from "../projections/rebuild.ts";
import { openEngines } from "./compose.ts";
import { openReadModels } from "./compose-rows.ts";
import type { Config } from "./config.ts";
import { Explained } from "./explained.ts";
import { createLifecycle } from "./lifecycle.ts";
import { fillInThreads } from "./threads/fill-threads.ts";
import { noPatience } from "./wait-for-engine.ts";

export interface RebuildHere {
  readonly config: Config;
  readonly rollback: boolean;
  readonly log: Log;
  readonly signal: AbortSignal;
  onProgress(progress: RebuildProgress): void;
}

/** A rebuild in this process, of rows that others serve from and write to: the read models are in a server of their own. */
export async function rebuildHere({ config, rollback, log, signal, onProgress }: RebuildHere): Promise<Rebuilt> {
  const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
  try {
    const { eventStore: store, feed, blobs } = await openEngines(config, life);
    const { readModels } = await openReadModels(config, life, feed, log, noPatience);
    const model = learnerModels[config.model];
    const deps = { feed, store, blobs, readModels, model, clock: { now: Date.now }, log };
    const { partitions } = config;
    const fill = fillInThreads(config, readModels);
    return await (rollback ? rollBack : rebuildRows)(deps, { partitions, fill, signal, onProgress });
  } catch (error) {
    if (error instanceof CannotRebuild) throw new Explained(error.message, { cause: error });
    throw error;
  } finally {
    await life.stop();
  }
}
