import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { learnerModels } from "../../domain/learner-model/models.ts";
import type { ReadModels } from "../../ports/read-models.ts";
import type { Serving } from "../../queries/export/read-model-rows.ts";
import { createProjector } from "../../workers/projector.ts";
import type { Engines } from "../compose.ts";
import { openReadModels } from "../compose-rows.ts";
import type { Config } from "../config.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { once } from "../once.ts";
import { startCatalogue, startModel } from "../start-parts.ts";
import { whatIfThreads } from "../threads/what-if-threads.ts";
import { noPatience } from "../wait-for-engine.ts";
import type { ReplayDeps } from "./replay-kinds.ts";

/** What replays stand on, in a process that works on one and in one that only takes orders. */
export function replayDeps(config: Config, engines: Engines, life: Lifecycle, log: Logger): ReplayDeps {
  const { analysts, blobs } = engines;
  return {
    ...{ feed: analysts, eventStore: analysts, blobs, log },
    model: learnerModels[config.model],
    clock: { now: Date.now },
    serving: openServing(config, engines, life, log),
    async pseudonymKey() {
      if (config.exportSecret !== undefined) return config.exportSecret;
      const made = Buffer.from(randomBytes(32).toString("hex"));
      return (await blobs.putNew("secret", "export", made)).toString();
    },
    whatIf: whatIfThreads(config),
  };
}

/** Each by itself: what is open is not opened again where another could not be. */
function openServing(config: Config, engines: Engines, life: Lifecycle, log: Logger): () => Promise<Serving> {
  const catalogue = once(() => startCatalogue(engines, life, log));
  const model = once(() => startModel(config, engines, life, log));
  const rows = once(() => openRows(config, engines, life, log));
  return async () => ({ catalogue: await catalogue(), model: await model(), readModels: await rows() });
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
  const projector = createProjector(deps, { partitions: config.partitions, sweptPerSecond: 0, popularTickMs: 10 });
  await life.acquire(
    "projector",
    () => projector.start(),
    () => projector.stop(),
  );
  await projector.caughtUp();
  await projector.stop();
  return readModels;
}
