import type { Random } from "../random.ts";
import type { Calendar } from "./calendar.ts";
import { type Cohort, countOf, createCohortQueue } from "./cohort.ts";
import { draw } from "./durations.ts";
import type { PipelineModel } from "./model.ts";
import type { Station } from "./station.ts";

/** The group commit of one process, by the rules of src/commands/group-commit.ts; that no two share a stream is left out. */
export interface GroupCommit {
  /** false: refused, the queue is full. */
  add(cohort: Cohort): boolean;
  /** Waiting or being committed. */
  pending(): number;
}

export interface GroupCommitDeps {
  readonly calendar: Calendar;
  readonly random: Random;
  readonly model: PipelineModel["commit"];
  /** The part of each commit that the log does one at a time: one server, for all processes. */
  readonly log: Station;
  readonly committed: (cohorts: readonly Cohort[]) => void;
}

export function createGroupCommit({ calendar, random, model, log, committed }: GroupCommitDeps): GroupCommit {
  const queue = createCohortQueue();
  let inFlight = 0;
  let committing = 0;
  const apart = { ...model.base, meanMs: Math.max(0, model.base.meanMs - model.serialMs) };

  function schedule(): void {
    const ready = queue.size();
    const enoughBeside = Math.min(model.eventsMax, Math.max(model.besideFrom, committing));
    if (ready === 0 || inFlight >= model.inFlightMax || (inFlight > 0 && ready < enoughBeside)) return;
    const cohorts = queue.take(model.eventsMax);
    const count = countOf(cohorts);
    inFlight += 1;
    committing += count;
    const now = calendar.now();
    const locked = log.endOf(now, draw(random, apart) + (model.perEventMs / 1000) * (count - 1));
    calendar.at(locked, () => {
      const { endSeconds } = log.enter(locked, model.serialMs / 1000);
      calendar.at(endSeconds, () => {
        inFlight -= 1;
        committing -= count;
        for (const cohort of cohorts) cohort.committedAt = endSeconds;
        committed(cohorts);
        schedule();
      });
    });
    schedule();
  }

  return {
    add(cohort) {
      const queued = queue.size();
      if (queued > 0 && queued + cohort.count > model.queueMax) return false;
      queue.put(cohort);
      schedule();
      return true;
    },
    pending: () => queue.size() + committing,
  };
}
