import { setTimeout as sleep } from "node:timers/promises";
import type { Lease } from "../ports/lease.ts";
import type { Log } from "../ports/log.ts";

/** All who want a lease ask for as long: see the port. */
export const usualLeaseMs = 10_000;

export interface SoleOwnerDeps {
  readonly lease: Lease;
  /** What the lease is called: one owner of it in the deployment. */
  readonly name: string;
  /** This run of this process, and no other. */
  readonly holder: string;
  readonly log: Log;
  /** Begins the work each time this becomes the owner. */
  begin(): Promise<Work> | Work;
  /** How long the lease outlives an owner that says nothing more. Default 10 s. */
  readonly leaseMs?: number;
}

export interface Work {
  /** Ends it: when the lease was lost, and at the stop. */
  stop(): Promise<void>;
}

export interface SoleOwner {
  /** Resolves once it is known whether this owns the work or stands by. Idempotent. */
  start(): Promise<void>;
  owns(): boolean;
  /** Ends the work, then hands the lease over. Idempotent. */
  stop(): Promise<void>;
}

const failuresPauseMs = 1000;

/**
 * Work that one process of a deployment does at a time: this one while it holds the lease, else it stands by and takes
 * over. Who could not prolong the lease to its end stops; for the moment in which two may work, see ports/lease.ts.
 */
export function createSoleOwner(deps: SoleOwnerDeps): SoleOwner {
  const { lease, name, holder, log, begin, leaseMs = usualLeaseMs } = deps;
  const ending = new AbortController();
  let work: Work | null = null;
  let heldUntil = Number.NEGATIVE_INFINITY;
  let started: Promise<void> | null = null;
  let loop: Promise<void> = Promise.resolve();
  let stopped: Promise<void> | null = null;

  /** True where it is ours for another while, false where it is another's. Where it cannot be asked, what was known. */
  async function take(): Promise<boolean> {
    const askedAt = performance.now();
    try {
      const held = await lease.take(name, holder, leaseMs);
      heldUntil = held === null ? Number.NEGATIVE_INFINITY : askedAt + leaseMs;
    } catch (err) {
      log.warn({ err, lease: name }, "the lease cannot be asked for");
    }
    return performance.now() < heldUntil;
  }

  async function look(): Promise<void> {
    const ours = await take();
    if (ours && work === null && !ending.signal.aborted) {
      log.info({ lease: name }, `this process does it now: ${name}`);
      work = await begin();
    }
    if (!ours && work !== null) {
      log.warn({ lease: name }, `another process does it now: ${name}`);
      await endWork();
    }
  }

  async function endWork(): Promise<void> {
    const ended = work;
    work = null;
    await ended?.stop();
  }

  async function keepLooking(): Promise<void> {
    while (!ending.signal.aborted) {
      await sleep(leaseMs / 3, undefined, { signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted) return;
      await lookAnyway();
    }
  }

  /** What could not begin or end is tried again at the next look. */
  async function lookAnyway(): Promise<void> {
    await look().catch(async (err: unknown) => {
      log.error({ err, lease: name }, `could not begin or end: ${name}`);
      await sleep(failuresPauseMs, undefined, { signal: ending.signal }).catch(() => undefined);
    });
  }

  async function end(): Promise<void> {
    ending.abort();
    await started?.catch(() => undefined);
    await loop;
    await endWork();
    await lease.release(name, holder).catch((err: unknown) => {
      log.warn({ err, lease: name }, "the lease could not be given up: the next owner waits for its end");
    });
  }

  return {
    start() {
      started ??= lookAnyway().then(() => {
        loop = keepLooking();
      });
      return started;
    },
    owns: () => work !== null,
    stop() {
      stopped ??= end();
      return stopped;
    },
  };
}
