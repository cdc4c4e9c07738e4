import type { Random } from "../random.ts";
import type { Calendar } from "./calendar.ts";
import { type Cohort, type CohortQueue, countOf, createCohortQueue } from "./cohort.ts";
import { draw } from "./durations.ts";
import type { PipelineModel } from "./model.ts";
import { createStation, type Pause, type Station } from "./station.ts";

/** Partitions and the workers that fold them, by the loop of src/projections/run-projection.ts. */
export interface Projectors {
  /** Of a partition, as the feed brings them. */
  offer(partition: number, cohort: Cohort): void;
  /** Asks for so many workers: more take part after their start, fewer at once. */
  scale(workers: number): void;
  workers(): number;
  workersAsked(): number;
  lagOf(partition: number): number;
  /** When the oldest event that is not folded was committed; null where all are. */
  oldestCommittedAt(): number | null;
  readonly counts: {
    batches: number;
    folded: number;
    failed: number;
    scalings: number;
    workerSeconds: number;
    workersMax: number;
  };
  /** Seconds of CPU of all workers that there ever were. */
  worked(): number;
  /** Counts the time up to now into workerSeconds. */
  settle(): void;
}

export interface ProjectorsDeps {
  readonly calendar: Calendar;
  readonly random: Random;
  readonly model: PipelineModel["projector"];
  /** Redis as those who write to it find it. */
  readonly redis: Station;
  /** When workers stand still. */
  readonly pauses: readonly Pause[];
  readonly folded: (cohorts: readonly Cohort[], atSeconds: number) => void;
}

interface Partition {
  readonly queue: CohortQueue;
  /** A batch of it, or a retry, is under way. */
  busy: boolean;
  attempt: number;
  worker: number;
  /** It is being dealt anew until then. */
  heldUntil: number;
}

export function createProjectors(deps: ProjectorsDeps): Projectors {
  const { calendar, random, model, redis, folded } = deps;
  const stations: Station[] = [];
  const counts = { batches: 0, folded: 0, failed: 0, scalings: 0, workerSeconds: 0, workersMax: 0 };
  let workers = Math.min(model.workers, model.partitions);
  let asked = workers;
  let settledAt = 0;
  counts.workersMax = workers;
  const partitions = Array.from(
    { length: model.partitions },
    (_, at): Partition => ({
      ...{ queue: createCohortQueue(), busy: false, attempt: 0, worker: at % workers, heldUntil: 0 },
    }),
  );

  function stationOf(worker: number): Station {
    stations[worker] ??= createStation(1, deps.pauses);
    return stations[worker];
  }

  function run(one: Partition): void {
    const now = calendar.now();
    if (now < one.heldUntil) {
      calendar.at(one.heldUntil, () => run(one));
      return;
    }
    const batch = Math.min(one.queue.size(), model.eventsMax);
    if (batch === 0) {
      one.busy = false;
      return;
    }
    const work = draw(random, model.batch) + draw(random, model.event, batch);
    const { endSeconds } = stationOf(one.worker).enter(now, work);
    calendar.at(endSeconds, () => write(one, batch));
  }

  function write(one: Partition, batch: number): void {
    const now = calendar.now();
    const end = redis.endOf(now, draw(random, model.write) + (model.writeEventMs / 1000) * batch);
    const deadline = now + model.writeDeadlineMs / 1000;
    if (end > deadline) calendar.at(deadline, () => retry(one));
    else calendar.at(end, () => written(one, batch));
  }

  function written(one: Partition, batch: number): void {
    const cohorts = one.queue.take(batch);
    one.attempt = 0;
    counts.batches += 1;
    counts.folded += countOf(cohorts);
    folded(cohorts, calendar.now());
    run(one);
  }

  /** What was not written is folded again, after a pause that doubles. */
  function retry(one: Partition): void {
    one.attempt += 1;
    counts.failed += 1;
    const pauseMs = Math.min(model.retryMsMax, model.retryMs * 2 ** (one.attempt - 1)) * (0.5 + 0.5 * random());
    calendar.at(calendar.now() + pauseMs / 1000, () => run(one));
  }

  function settle(): void {
    counts.workerSeconds += workers * (calendar.now() - settledAt);
    settledAt = calendar.now();
  }

  /** All partitions stand still for a moment, as with a consumer group that deals them anew. */
  function deal(now: number): void {
    if (now === workers) return;
    settle();
    workers = now;
    counts.workersMax = Math.max(counts.workersMax, workers);
    const held = calendar.now() + model.rebalanceMs / 1000;
    for (const [at, one] of partitions.entries()) {
      one.worker = at % workers;
      one.heldUntil = held;
    }
  }

  return {
    counts,
    settle,
    offer(partition, cohort) {
      const one = partitions[partition] as Partition;
      one.queue.put(cohort);
      if (one.busy) return;
      one.busy = true;
      run(one);
    },
    scale(wanted) {
      const next = Math.min(model.partitions, Math.max(1, Math.round(wanted)));
      if (next === asked) return;
      counts.scalings += 1;
      const before = asked;
      asked = next;
      if (next < before) return deal(Math.min(workers, next));
      // Fewer may have been asked for by then.
      calendar.at(calendar.now() + model.startMs / 1000, () => deal(Math.max(workers, Math.min(next, asked))));
    },
    workers: () => workers,
    workersAsked: () => asked,
    lagOf: (partition) => (partitions[partition] as Partition).queue.size(),
    oldestCommittedAt() {
      let oldest: number | null = null;
      for (const { queue } of partitions) {
        const at = queue.first()?.committedAt;
        if (at !== undefined && (oldest === null || at < oldest)) oldest = at;
      }
      return oldest;
    },
    worked: () => stations.reduce((sum, station) => sum + (station?.worked() ?? 0), 0),
  };
}
