import { z } from "zod";
import { type ArchiveEventsDeps, archiveEvents } from "../commands/archive-events.ts";
import { learnerModels } from "../domain/learner-model/models.ts";
import type { Log } from "../ports/log.ts";
import { keepLiveCounters } from "../projections/counters-kept.ts";
import { saveRowSnapshot } from "../workers/row-snapshots.ts";
import { archivable, type Engines } from "./compose.ts";
import type { OpenReadModels } from "./compose-rows.ts";
import type { Config } from "./config.ts";
import type { Job } from "./start-jobs.ts";

/** The background jobs of this deployment. */
export function jobsOf(config: Config, engines: Engines, rows: OpenReadModels | null, log: Log): Job[] {
  const archiving = config.archiveAfterDays === 0 ? null : archivable(config, engines);
  return [
    // Rows in the memory of a process are saved by that process.
    ...(rows === null || config.redisUrl === undefined ? [] : [saveRows(config, engines, rows, log)]),
    ...(rows === null ? [] : [keepCounters(config, engines, rows)]),
    ...(archiving === null ? [] : [archive(config, archiving, log)]),
  ];
}

const dayMs = 86_400_000;

/** Whole segments, oldest first; one that is cut off goes on with the next run, and two at a time do no harm. */
function archive({ archiveAfterDays }: Config, deps: ArchiveEventsDeps, log: Log): Job {
  return {
    name: "archive",
    definition: {
      input: z.object({}),
      async run(_input, { signal }) {
        const time = new Date(Date.now() - archiveAfterDays * dayMs).toISOString();
        const moved = await archiveEvents(deps, { time }, { signal });
        if (moved.length > 0) log.info({ moved: moved.map(({ name }) => name) }, "segments moved to the archive");
        signal.throwIfAborted();
        return { moved: moved.length };
      },
    },
    everyMs: dayMs,
  };
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

/** So that what was popular at a time gone by is counted from a day before it, not from the beginning of the log. */
function keepCounters(config: Config, { blobs, feed }: Engines, { readModels }: OpenReadModels): Job {
  const deps = { readModels, blobs, feed, model: learnerModels[config.model] };
  return {
    name: "keep-counters",
    definition: { input: z.object({}), run: async () => ({ position: await keepLiveCounters(deps) }) },
    everyMs: dayMs,
  };
}
