import type { JobDefinition, JobQueue } from "../ports/job-queue.ts";
import type { Log } from "../ports/log.ts";
import type { Breakers } from "./breakers.ts";
import { jobsQueue, openJobs } from "./compose-stream.ts";
import type { Config } from "./config.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Patience } from "./wait-for-engine.ts";

/** Work that comes again and again by itself, or when somebody asks for it. */
export interface Job {
  readonly name: string;
  readonly definition: JobDefinition<unknown>;
  /** How often it comes by itself; null: only when asked for. */
  readonly everyMs: number | null;
}

/** Works on the deployment's background jobs until the stop, which waits for those in hand or hands them over. */
export async function startJobs(
  config: Config,
  jobs: readonly Job[],
  life: Lifecycle,
  log: Log,
  patience: Patience,
  breakers: Breakers,
): Promise<JobQueue> {
  const queue = await openJobs(config, jobsQueue(config), life, log, patience, breakers);
  for (const { name, definition } of jobs) queue.define(name, definition);
  queue.start();
  for (const { name, everyMs } of jobs) {
    if (everyMs !== null)
      await patience.untilOpen("the jobs' Redis (JOBS_REDIS_URL)", () => queue.schedule(name, everyMs));
  }
  log.info({ jobs: jobs.map(({ name }) => name) }, "working on background jobs");
  return queue;
}
