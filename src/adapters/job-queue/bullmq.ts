import { DelayedError, type Job, MetricsTime, Queue, Worker } from "bullmq";
import { Redis, type RedisOptions } from "ioredis";
import pTimeout from "p-timeout";
import { type JobCounts, type JobQueue, JobsUnavailable } from "../../ports/job-queue.ts";
import type { Log } from "../../ports/log.ts";
import { letEnd, makeLasting } from "../engines/redis-lasting.ts";
import { parseRedisUrl } from "../engines/redis-url.ts";
import { createDefinitions, failedKept } from "./definitions.ts";

export interface BullJobsOptions {
  /** One server, or Sentinel; its Redis must not evict (noeviction). */
  readonly url: string;
  readonly log: Log;
  /** Jobs of another queue are other jobs. Default "jobs". */
  readonly queue?: string;
  /** Jobs at a time in this process. */
  readonly concurrency?: number;
  /** Pause before a second try, doubled for each one after. */
  readonly retryMs?: number;
  /** How long a close waits for the jobs in hand before it tells them to end. */
  readonly finishMs?: number;
  /** A worker that says nothing for so long is dead: its job goes to another. */
  readonly lockMs?: number;
  /** Longest wait for an answer of Redis to who queues or asks. */
  readonly deadlineMs?: number;
}

const defaultQueue = "jobs";
export const prefix = "proximal";
/** Finished jobs are kept so long, for those who look, and so that an id is known still. */
const keep = {
  removeOnComplete: { count: 1000, age: 7 * 86_400 },
  removeOnFail: { count: failedKept, age: 30 * 86_400 },
};

/** Jobs in BullMQ on a Redis of their own. Rejects with {@link JobsUnavailable} where it cannot be reached. */
export async function openBullJobs(options: BullJobsOptions): Promise<JobQueue> {
  const { log, retryMs = 1000, deadlineMs = 3000 } = options;
  const definitions = createDefinitions();
  const asking = newRedis(options.url, { enableOfflineQueue: false, maxRetriesPerRequest: 1 });
  asking.on("error", (err: Error) =>
    log.warn({ why: err.message }, "trouble with the connection to the Redis of the jobs"),
  );
  await connected(asking);
  makeLasting(asking);
  const queue = new Queue(options.queue ?? defaultQueue, { connection: asking, prefix });
  queue.on("error", () => undefined);
  const schedules = new Map<string, Schedule>();
  let working: Working | null = null;
  let closed: Promise<void> | null = null;

  async function ask<T>(what: string, work: Promise<T>): Promise<T> {
    try {
      return await pTimeout(work, { milliseconds: deadlineMs, message: `no answer within ${deadlineMs} ms` });
    } catch (error) {
      throw new JobsUnavailable(`the Redis of the jobs: ${what}: ${(error as Error).message}`, { cause: error });
    }
  }

  const optionsOf = (name: string) => ({
    ...keep,
    attempts: definitions.of(name).attempts,
    backoff: { type: "exponential", delay: retryMs },
  });

  /** The slot in the id makes one job of what several processes add; the other word keeps jobs that are late from piling up. */
  async function addScheduled(name: string, everyMs: number, slot: number): Promise<void> {
    const jobId = `${name} every ${everyMs} ms, ${slot}`;
    await ask(
      "schedule",
      queue.add(name, {}, { ...optionsOf(name), jobId, deduplication: { id: `schedule of ${name}` } }),
    );
  }

  async function end(): Promise<void> {
    for (const schedule of schedules.values()) schedule.end();
    await working?.close();
    await queue.close();
    letEnd(asking);
    await asking.quit().catch(() => undefined);
    // After the end too: connections to sentinels, which tell of a new master, would stay and keep the process.
    asking.disconnect();
  }

  return {
    define: definitions.define,
    async schedule(name, everyMs) {
      definitions.of(name).check({});
      schedules.get(name)?.end();
      await addScheduled(name, everyMs, slotOf(everyMs));
      const schedule = startSchedule(everyMs, (slot) => addScheduled(name, everyMs, slot), log);
      schedules.set(name, schedule);
      if (closed !== null) schedule.end();
    },
    async enqueue(name, input, { id, key } = {}) {
      definitions.of(name).check(input);
      const once = { ...(id ? { jobId: id } : {}), ...(key ? { deduplication: { id: key } } : {}) };
      const job = await ask("enqueue", queue.add(name, input, { ...optionsOf(name), ...once }));
      return job.id ?? "";
    },
    start() {
      if (closed === null) working ??= startWorking(options, definitions);
    },
    async counts() {
      return ask("count", countsOf(queue));
    },
    async failed(limit) {
      return (await ask("failed jobs", queue.getFailed(0, limit - 1))).map((job) => ({
        id: job.id ?? "",
        name: job.name,
        error: job.failedReason ?? "",
        attempts: job.attemptsMade,
        failedAt: new Date(job.finishedOn ?? job.timestamp).toISOString(),
      }));
    },
    async retry(id) {
      const job = (await ask("retry", queue.getJob(id))) as Job | undefined;
      if (job === undefined || !(await ask("retry", job.isFailed()))) return false;
      await ask("retry", job.retry("failed", { resetAttemptsMade: true }));
      return true;
    },
    close() {
      closed ??= end();
      return closed;
    },
  };
}

/** BullMQ's own counts and totals, as its exportPrometheusMetrics has them, and the age that it does not tell. */
async function countsOf(queue: Queue): Promise<JobCounts> {
  const waits = ["waiting", "prioritized"] as const;
  const [of, isPaused, completed, failed, ...first] = await Promise.all([
    queue.getJobCounts(...waits, "active", "delayed", "failed"),
    queue.isPaused(),
    queue.getMetrics("completed", 0, 0),
    queue.getMetrics("failed", 0, 0),
    // The first of each kind is the next to be done: the oldest, but for priorities.
    ...waits.map((state) => queue.getJobs(state, 0, 0, true)),
  ]);
  const since = first.flat().map(waitsSince);
  const { waiting = 0, prioritized = 0, active = 0, delayed = 0 } = of;
  return {
    ...{ waiting, prioritized, paused: isPaused, active, delayed, failed: of.failed ?? 0 },
    ...{ completedTotal: completed.meta.count, failedTotal: failed.meta.count },
    oldestWaitingAt: since.length === 0 ? null : Math.min(...since),
  };
}

/** One that is done again waits since it was given back; a pause before it counts as waiting. */
const waitsSince = ({ timestamp, delay, processedOn = 0 }: Job): number => Math.max(timestamp + delay, processedOn);

interface Schedule {
  end(): void;
}

const slotOf = (everyMs: number): number => Math.floor(Date.now() / everyMs);
/** Timers take no longer pause, and a clock may be set meanwhile. */
const longestPauseMs = 3_600_000;
const pauseAfterFailureMs = 1000;

/**
 * Adds the job of each slot of time as it begins. BullMQ has schedulers of its own, each of whose jobs adds the next
 * one: such a chain was seen to break (docs/adr/0020-roles-and-jobs.md), this one has nothing that could.
 */
function startSchedule(everyMs: number, add: (slot: number) => Promise<void>, log: Log): Schedule {
  let ended = false;
  let timer: NodeJS.Timeout;
  async function look(): Promise<void> {
    let pause = Math.min((slotOf(everyMs) + 1) * everyMs - Date.now(), longestPauseMs);
    try {
      await add(slotOf(everyMs));
    } catch (err) {
      log.warn({ err }, "a scheduled job could not be queued");
      pause = Math.min(pause, pauseAfterFailureMs);
    }
    if (!ended) timer = setTimeout(() => void look(), Math.max(1, pause));
  }
  timer = setTimeout(() => void look(), 1);
  return {
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}

interface Working {
  close(): Promise<void>;
}

function startWorking(options: BullJobsOptions, definitions: ReturnType<typeof createDefinitions>): Working {
  const { url, log, concurrency = 1, finishMs = 2000, lockMs = 30_000 } = options;
  const leaving = new AbortController();
  // A worker waits for its Redis for ever: it has nothing else to do.
  const connection = newRedis(url, { maxRetriesPerRequest: null });
  connection.on("error", () => undefined);
  makeLasting(connection);

  /** A job that ends because this worker has to go is handed to another, and no attempt of it is lost. */
  async function run(job: Job, token?: string): Promise<unknown> {
    const attempt = job.attemptsMade + 1;
    try {
      return await definitions.of(job.name).run(job.data, { id: job.id ?? "", attempt, signal: leaving.signal });
    } catch (err) {
      if (leaving.signal.aborted) {
        await job.moveToDelayed(Date.now(), token);
        throw new DelayedError();
      }
      log.warn({ err, job: job.name, id: job.id, attempt }, "a job failed");
      throw err;
    }
  }

  const worker = new Worker(options.queue ?? defaultQueue, run, {
    ...{ connection, prefix, concurrency },
    // Counts what ended, for all workers of the queue together.
    metrics: { maxDataPoints: MetricsTime.ONE_HOUR },
    ...{ lockDuration: lockMs, stalledInterval: lockMs, maxStalledCount: 3 },
  });
  worker.on("error", (err) => log.warn({ why: err.message }, "trouble with the Redis of the jobs"));
  return {
    async close() {
      const patience = setTimeout(() => leaving.abort(), finishMs);
      await worker.close();
      clearTimeout(patience);
      letEnd(connection);
      connection.disconnect();
    },
  };
}

export function newRedis(url: string, more: Pick<RedisOptions, "enableOfflineQueue" | "maxRetriesPerRequest">): Redis {
  const { kind, hosts, name, username, password, database, tls } = parseRedisUrl(url);
  const common = {
    ...{ lazyConnect: true, connectTimeout: 1000, db: database },
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, 2000),
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    ...more,
  };
  if (kind === "single") {
    const { host = "localhost", port = 6379 } = hosts[0] ?? {};
    return new Redis({ ...common, host, port });
  }
  if (kind === "cluster") throw new Error("the jobs need one Redis or Sentinel, not a cluster");
  const sentinelTls = tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {};
  return new Redis({ ...common, ...sentinelTls, sentinels: [...hosts], name: name ?? "", failoverDetector: true });
}

async function connected(redis: Redis): Promise<void> {
  let first: Error | null = null;
  const note = (error: Error): void => {
    first ??= error;
  };
  redis.on("error", note);
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    const { message } = first ?? (error as Error);
    throw new JobsUnavailable(`the Redis of the jobs cannot be reached: ${message}`, { cause: error });
  } finally {
    redis.off("error", note);
  }
}
