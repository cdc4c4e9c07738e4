import type { ScalingPolicy } from "./policy.ts";

/** How many workers a rate and a backlog take: the arithmetic of the Flink autoscaler (FLIP-271, "Scaling algorithm"). */

export interface Demand {
  /** Events a second that come in. */
  readonly rateIn: number;
  /** Events that wait. */
  readonly backlog: number;
}

/**
 * The rate that workers must be able to do, events a second: input at the utilisation that is wanted, what waits within the
 * time that it may take, and within the same time what piles up while the workers are changed.
 */
export function targetRate(
  { rateIn, backlog }: Demand,
  {
    utilisation,
    catchUpSeconds,
    restartSeconds,
  }: Pick<ScalingPolicy, "utilisation" | "catchUpSeconds" | "restartSeconds">,
): number {
  return backlog / catchUpSeconds + (rateIn * restartSeconds) / catchUpSeconds + rateIn / utilisation;
}

export interface Workers {
  /** By the rate alone. */
  readonly wanted: number;
  /** Of use: no more than can be dealt work, and as few as carry as much. */
  readonly workers: number;
  /** More are wanted than can be dealt work. */
  readonly capped: boolean;
}

/**
 * The fewest workers that do `target`. Where partitions are dealt, the one with the most of them sets the pace: so many
 * that each has as many as the others, a divisor of the partitions, do the most for what they cost. `most` bounds work that
 * has no partitions.
 */
export function workersFor(target: number, perWorker: number, partitions: number | null, most: number): Workers {
  const wanted = Math.max(1, Math.ceil(target / perWorker - 1e-9));
  if (partitions === null) return { wanted, workers: Math.min(wanted, most), capped: wanted > most };
  const ceiling = Math.min(partitions, most);
  for (let each = partitions; each >= 1; each -= 1) {
    const workers = Math.ceil(partitions / each);
    if (workers > ceiling) break;
    if ((partitions / each) * perWorker >= target - 1e-9) return { wanted, workers, capped: false };
  }
  return { wanted, workers: ceiling, capped: wanted > ceiling };
}

/** What so many workers do of an even load, in workers: the one with the most partitions sets the pace. */
export function effectiveWorkers(workers: number, partitions: number | null): number {
  if (partitions === null || workers === 0) return workers;
  return partitions / Math.ceil(partitions / Math.min(workers, partitions));
}

/** Until the backlog is gone; null where it does not shrink. */
export function secondsToDrain({ rateIn, backlog }: Demand, capacity: number): number | null {
  if (backlog <= 0) return 0;
  return capacity > rateIn ? backlog / (capacity - rateIn) : null;
}
