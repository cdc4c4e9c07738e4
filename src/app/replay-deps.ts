import type { Logger } from "pino";
import { learnerModels } from "../domain/learner-model/models.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { createProjector } from "../workers/projector.ts";
import type { Engines } from "./compose.ts";
import { openReadModels } from "./compose-rows.ts";
import type { Config } from "./config.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { ReplayDeps } from "./replay-kinds.ts";
import { noPatience } from "./wait-for-engine.ts";

/** What replays stand on, in a process that works on one and in one that only takes orders. */
export function replayDeps(config: Config, engines: Engines, life: Lifecycle, log: Logger): ReplayDeps {
  const { analysts, blobs } = engines;
  let rows: Promise<ReadModels> | null = null;
  return {
    ...{ feed: analysts, eventStore: analysts, blobs, log },
    model: learnerModels[config.model],
    clock: { now: Date.now },
    rows() {
      rows ??= openRows(config, engines, life, log);
      return rows;
    },
  };
}

/**
 * Rows in Redis are there. Those in the memory of the server are not: they are made here from its last snapshot and the
 * events since, as a start does, and written nowhere.
 */
async function openRows(config: Config, engines: Engines, life: Lifecycle, log: Logger): Promise<ReadModels> {
  const { feed, eventStore: store, blobs } = engines;
  const { readModels } = await openReadModels(config, life, feed, log, noPatience);
  if (config.redisUrl !== undefined) return readModels;
  const deps = { feed, store, blobs, readModels, model: learnerModels[config.model], clock: { now: Date.now }, log };
  const projector = await life.acquire(
    "projector",
    () => createProjector(deps, { partitions: config.partitions, sweptPerSecond: 0 }),
    (one) => one.stop(),
  );
  await projector.start();
  await projector.caughtUp();
  await projector.stop();
  return readModels;
}
