import { z } from "zod";
import { learnerModels } from "../domain/learner-model/models.ts";
import type { Log } from "../ports/log.ts";
import { saveRowSnapshot } from "../workers/row-snapshots.ts";
import type { Engines } from "./compose.ts";
import type { OpenReadModels } from "./compose-rows.ts";
import type { Config } from "./config.ts";
import type { Job } from "./start-jobs.ts";

/** The background jobs of this deployment. */
export function jobsOf(config: Config, engines: Engines, rows: OpenReadModels | null, log: Log): Job[] {
  // Rows in the memory of a process are saved by that process.
  return rows === null || config.redisUrl === undefined ? [] : [saveRows(config, engines, rows, log)];
}

/** So that losing Redis does not mean reading the log from its beginning. */
function saveRows(config: Config, { blobs, feed }: Engines, { readModels }: OpenReadModels, log: Log): Job {
  const deps = { readModels, blobs, feed, model: learnerModels[config.model], clock: { now: Date.now }, log };
  return {
    name: "save-rows",
    definition: { input: z.object({}), run: (_input, { signal }) => saveRowSnapshot(deps, signal) },
    everyMs: config.snapshotIntervalSeconds * 1000,
  };
}
