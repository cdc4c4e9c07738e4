import { learnerModels } from "../domain/learner-model/models.ts";
import type { Log } from "../ports/log.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { CannotRebuild, type RebuildProgress, type Rebuilt, rebuildRows, rollBack } from "../projections/rebuild.ts";
import type { RebuildWork } from "../workers/operator-requests.ts";
import { reportedRebuild } from "../workers/reported-rebuild.ts";
import { type Engines, openEngines } from "./compose.ts";
import { openReadModels } from "./compose-rows.ts";
import type { Config } from "./config.ts";
import { Explained } from "./explained.ts";
import { createLifecycle } from "./lifecycle.ts";
import { fillInThreads } from "./threads/fill-threads.ts";
import { noPatience } from "./wait-for-engine.ts";

export interface RebuildHere {
  readonly config: Config;
  readonly name: string;
  readonly rollback: boolean;
  readonly log: Log;
  readonly signal: AbortSignal;
  onProgress(progress: RebuildProgress): void;
}

/** A rebuild in this process, of rows that others serve from and write to: the read models are in a server of their own. */
export async function rebuildHere({ config, name, rollback, log, signal, onProgress }: RebuildHere): Promise<Rebuilt> {
  const life = createLifecycle({ stopTimeoutMs: config.stopTimeoutMs, log });
  try {
    const engines = await openEngines(config, life);
    const { readModels } = await openReadModels(config, life, engines.feed, log, noPatience);
    const rebuild = rebuildOf(config, engines, readModels, log);
    const rebuilt = await reportedRebuild({ readModels, clock: { now: Date.now }, log, name, rollback }, (tell) =>
      rebuild({
        ...{ rollback, signal },
        onProgress(progress) {
          tell(progress);
          onProgress(progress);
        },
      }),
    );
    if (rebuilt === null) throw new CannotRebuild("another process took it up");
    return rebuilt;
  } catch (error) {
    if (error instanceof CannotRebuild) throw new Explained(error.message, { cause: error });
    throw error;
  } finally {
    await life.stop();
  }
}

/** Of rows that processes share, on engines that are open: on all cores of this machine. */
export function rebuildOf(
  config: Config,
  { eventStore: store, feed, blobs }: Pick<Engines, "eventStore" | "feed" | "blobs">,
  readModels: ReadModels,
  log: Log,
): (work: RebuildWork) => Promise<Rebuilt> {
  const deps = { feed, store, blobs, readModels, model: learnerModels[config.model], clock: { now: Date.now }, log };
  const options = { partitions: config.partitions, fill: fillInThreads(config, readModels) };
  return ({ rollback, ...given }) => (rollback ? rollBack : rebuildRows)(deps, { ...options, ...given });
}
