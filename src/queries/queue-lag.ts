import type { Clock } from "../ports/clock.ts";
import type { JobCounts } from "../ports/job-queue.ts";
import { oneAtATime } from "../projections/one-at-a-time.ts";

export interface WatchedQueue {
  readonly queue: string;
  counts(): Promise<JobCounts>;
}

/** Jobs of one queue of the deployment: how many, how old, and how many end in a second. */
export interface QueueLag {
  readonly queue: string;
  readonly waiting: number;
  readonly prioritized: number;
  /** Somebody has stopped the queue. */
  readonly paused: boolean;
  readonly delayed: number;
  readonly active: number;
  readonly failed: number;
  /** All that is not begun: waiting, prioritized, delayed. */
  readonly backlog: number;
  /** How long the job that waits longest has waited; 0 where none does. */
  readonly oldestWaitingSeconds: number;
  readonly completedTotal: number;
  readonly failedTotal: number;
  /** Over the last `rateSeconds`; null while they are not known. */
  readonly completedPerSecond: number | null;
  readonly failedPerSecond: number | null;
  readonly rateSeconds: number;
}

export interface QueueReading {
  readonly queues: readonly QueueLag[];
  /** Queues whose engine did not answer. */
  readonly unreadable: readonly string[];
}

export interface QueueWatch {
  /** Looks when asked, one look at a time. Never rejects. */
  read(): Promise<QueueReading>;
}

interface Look {
  readonly at: number;
  readonly counts: JobCounts;
}

const windowMs = 60_000;
/** Looks farther apart say nothing of now. */
const oldestMs = 10 * 60_000;
/** Looks kept of each queue are so far apart: a dozen in the window. */
const apartMs = 5_000;

export function createQueueWatch(queues: readonly WatchedQueue[], clock: Clock): QueueWatch {
  const looks = new Map<string, Look[]>();
  async function look(): Promise<QueueReading> {
    const unreadable: string[] = [];
    const found = await Promise.all(
      queues.map(async ({ queue, counts }) => {
        try {
          const now = { at: clock.now(), counts: await counts() };
          const before = (looks.get(queue) ?? []).filter(({ at }) => at <= now.at && now.at - at <= oldestMs);
          looks.set(queue, keptOf(before, now));
          return [queueLagOf(queue, before[0], now)];
        } catch {
          unreadable.push(queue);
          return [];
        }
      }),
    );
    return { queues: found.flat(), unreadable };
  }

  return { read: oneAtATime(look) };
}

/** One at least as old as the window, and those since, apart. */
function keptOf(before: readonly Look[], now: Look): Look[] {
  const old = before.findLastIndex(({ at }) => now.at - at >= windowMs);
  const kept = before.slice(Math.max(0, old));
  const newest = kept.at(-1);
  return newest === undefined || now.at - newest.at >= apartMs ? [...kept, now] : kept;
}

export function queueLagOf(queue: string, before: Look | undefined, { at, counts }: Look): QueueLag {
  const { oldestWaitingAt, ...numbers } = counts;
  const seconds = before === undefined ? 0 : (at - before.at) / 1000;
  const rate = (total: "completedTotal" | "failedTotal"): number | null =>
    // Totals that went back are of an engine that was emptied.
    before === undefined || seconds < 0.5 || counts[total] < before.counts[total]
      ? null
      : (counts[total] - before.counts[total]) / seconds;
  const [completedPerSecond, failedPerSecond] = [rate("completedTotal"), rate("failedTotal")];
  return {
    queue,
    ...numbers,
    backlog: counts.waiting + counts.prioritized + counts.delayed,
    oldestWaitingSeconds: oldestWaitingAt === null ? 0 : Math.max(0, at - oldestWaitingAt) / 1000,
    ...{ completedPerSecond, failedPerSecond },
    rateSeconds: completedPerSecond === null ? 0 : seconds,
  };
}
