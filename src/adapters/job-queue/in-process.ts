import { randomUUID } from "node:crypto";
import type { FailedJob, JobQueue } from "../../ports/job-queue.ts";
import type { Log } from "../../ports/log.ts";
import { createDefinitions, failedKept, messageOf } from "./definitions.ts";

export interface InProcessJobsOptions {
  readonly log: Log;
  /** Jobs at a time. */
  readonly concurrency?: number;
  /** Pause before a second try, doubled for each one after. */
  readonly retryMs?: number;
  /** How long a close waits for the jobs in hand before it tells them to end. */
  readonly finishMs?: number;
  /** Jobs that wait, at the most. */
  readonly maxWaiting?: number;
}

interface Job {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
  readonly key?: string;
  attempt: number;
  /** Since when it waits. */
  waitsSince: number;
}

/** Jobs of one process alone, in its memory: a restart forgets what waits, and its schedules come again as it starts. */
export function createInProcessJobs(options: InProcessJobsOptions): JobQueue {
  const { log, concurrency = 1, retryMs = 1000, finishMs = 2000, maxWaiting = 10_000 } = options;
  const definitions = createDefinitions();
  const leaving = new AbortController();
  const schedules = new Map<string, NodeJS.Timeout>();
  const ids = new Set<string>();
  /** Jobs that wait or run, by key. */
  const keys = new Map<string, Job>();
  const waiting: Job[] = [];
  const active = new Set<Promise<void>>();
  const retries = new Map<Job, NodeJS.Timeout>();
  const failed: (FailedJob & { readonly job: Job })[] = [];
  const ended = { completed: 0, failed: 0 };
  let started = false;
  let closed: Promise<void> | null = null;

  function add(job: Job): void {
    if (waiting.length >= maxWaiting) throw new Error(`${waiting.length} jobs wait already`);
    ids.add(job.id);
    if (job.key !== undefined) keys.set(job.key, job);
    wait(job);
    next();
  }

  function wait(job: Job): void {
    job.waitsSince = Date.now();
    waiting.push(job);
  }

  function freeKey({ key }: Job): void {
    if (key !== undefined) keys.delete(key);
  }

  function next(): void {
    while (started && closed === null && active.size < concurrency) {
      const job = waiting.shift();
      if (job === undefined) return;
      const running = runOne(job).finally(() => {
        active.delete(running);
        next();
      });
      active.add(running);
    }
  }

  async function runOne(job: Job): Promise<void> {
    job.attempt += 1;
    const { id, name, input, attempt } = job;
    try {
      await definitions.of(name).run(input, { id, attempt, signal: leaving.signal });
      ids.delete(id);
      freeKey(job);
      ended.completed += 1;
    } catch (err) {
      if (leaving.signal.aborted) return;
      log.warn({ err, job: name, id, attempt }, "a job failed");
      if (attempt < definitions.of(name).attempts) retryLater(job);
      else giveUp(job, err);
    }
  }

  function retryLater(job: Job): void {
    const timer = setTimeout(
      () => {
        retries.delete(job);
        wait(job);
        next();
      },
      retryMs * 2 ** (job.attempt - 1),
    );
    retries.set(job, timer);
  }

  function giveUp(job: Job, error: unknown): void {
    freeKey(job);
    ended.failed += 1;
    const { id, name, attempt } = job;
    const failedAt = new Date().toISOString();
    failed.unshift({ job, id, name, error: messageOf(error), attempts: attempt, failedAt });
    for (const { id: forgotten } of failed.splice(failedKept)) ids.delete(forgotten);
  }

  /** A job that is late does not pile up: the next one comes when it has gone. */
  function addScheduled(name: string): void {
    const id = `scheduled ${name}`;
    if (ids.has(id) && !failed.some((one) => one.id === id)) return;
    add({ id, name, input: {}, attempt: 0, waitsSince: 0 });
  }

  async function end(): Promise<void> {
    for (const timer of schedules.values()) clearInterval(timer);
    for (const timer of retries.values()) clearTimeout(timer);
    const patience = setTimeout(() => leaving.abort(), finishMs);
    await Promise.all(active);
    clearTimeout(patience);
  }

  return {
    define: definitions.define,
    async schedule(name, everyMs) {
      definitions.of(name).check({});
      clearInterval(schedules.get(name));
      schedules.set(
        name,
        setInterval(() => addScheduled(name), everyMs),
      );
      addScheduled(name);
    },
    async enqueue(name, input, { id = randomUUID(), key } = {}) {
      definitions.of(name).check(input);
      const queued = key === undefined ? undefined : keys.get(key);
      if (queued !== undefined) return queued.id;
      if (!ids.has(id)) add({ id, name, input, ...(key === undefined ? {} : { key }), attempt: 0, waitsSince: 0 });
      return id;
    },
    start() {
      started = true;
      next();
    },
    async counts() {
      return {
        ...{ waiting: waiting.length, prioritized: 0, paused: false, active: active.size, delayed: retries.size },
        ...{ failed: failed.length, completedTotal: ended.completed, failedTotal: ended.failed },
        oldestWaitingAt: waiting[0]?.waitsSince ?? null,
      };
    },
    failed: async (limit) => failed.slice(0, limit).map(({ job: _job, ...shown }) => shown),
    async retry(id) {
      const at = failed.findIndex((one) => one.id === id);
      const [found] = at < 0 ? [] : failed.splice(at, 1);
      if (found === undefined) return false;
      found.job.attempt = 0;
      wait(found.job);
      next();
      return true;
    },
    close() {
      closed ??= end();
      return closed;
    },
  };
}
