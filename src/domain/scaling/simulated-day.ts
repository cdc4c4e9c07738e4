import { rateAt } from "../pipeline-simulation/arrivals.ts";
import { poisson } from "../pipeline-simulation/durations.ts";
import type { Controller, Scenario } from "../pipeline-simulation/model.ts";
import { mulberry32 } from "../random.ts";

/**
 * A day of projectors, second by second: events are a fluid that comes in by a rate with the chance of arrivals, is the same in all
 * partitions, and flows out by the pace of the workers. What matters to who scales them is there: a partition has one worker at a time,
 * a new worker takes a while to take part, a change stops all of them, engines stand still. Of single batches nothing is; the pipeline's
 * simulation has them, takes twenty times as long, and agrees (policies.test.ts).
 */
export interface ProjectorDay {
  readonly partitions: number;
  /** At the beginning. */
  readonly workers: number;
  /** Events a second. */
  readonly perWorker: number;
  /** Until a new worker takes part, and how long partitions stand still while they are dealt anew. */
  readonly startSeconds: number;
  readonly restartSeconds: number;
}

export interface DayOutcome {
  /** Time in which what waited longest was older than the objective. */
  readonly secondsAbove: number;
  readonly lagSecondsMax: number;
  readonly workerHours: number;
  readonly workersMax: number;
  readonly scalings: number;
  /** Events that no projector had folded at the end of the day. */
  readonly notFolded: number;
}

export function simulateDay(
  day: ProjectorDay,
  scenario: Pick<Scenario, "seconds" | "posts" | "outages" | "seed">,
  objectiveSeconds: number,
  controller: Controller | null,
): DayOutcome {
  const random = mulberry32(scenario.seed * 4);
  const rate = rateAt(scenario.posts);
  const stands = (engine: string, at: number): boolean =>
    scenario.outages.some(
      (one) => one.engine === engine && at >= one.fromSeconds && at < one.fromSeconds + one.seconds,
    );
  const crew = createCrew(day);
  const queues = createQueues(day.partitions, scenario.seconds);
  const look = { in: 0, out: 0, busy: 0, workers: 0 };
  const outcome = { secondsAbove: 0, lagSecondsMax: 0 };

  for (let at = 0; at < scenario.seconds; at += 1) {
    const came = poisson(random, rate(at + 0.5));
    queues.add(came, !stands("relay", at));
    crew.arrive(at);
    const works = crew.works(at) && !stands("redis", at);
    const done = works ? queues.fold(crew.workers(), day.perWorker) : 0;
    const now = at + 1;
    const lagSeconds = queues.lagSeconds();
    if (lagSeconds > objectiveSeconds) outcome.secondsAbove += 1;
    outcome.lagSecondsMax = Math.max(outcome.lagSecondsMax, lagSeconds);
    look.in += came;
    look.out += done;
    look.busy += done / day.perWorker;
    look.workers += crew.workers();
    if (controller === null || now % controller.everySeconds !== 0) continue;
    const lagByPartition = queues.waiting();
    const wanted = controller.decide({
      ...{
        atSeconds: now,
        workers: crew.workers(),
        workersAsked: crew.asked(),
        partitions: day.partitions,
        lagSeconds,
      },
      ...{ lagByPartition, lagEvents: lagByPartition.reduce((sum, one) => sum + one, 0) },
      ...{ rateIn: look.in / controller.everySeconds, rateOut: look.out / controller.everySeconds },
      busyShare: Math.min(1, look.busy / look.workers),
    });
    Object.assign(look, { in: 0, out: 0, busy: 0, workers: 0 });
    if (wanted !== null) crew.ask(wanted, now);
  }
  const notFolded = Math.round(queues.waiting().reduce((sum, one) => sum + one, 0));
  return { ...outcome, ...crew.outcome(), notFolded };
}

/** Workers that take part, and those that were asked for: as in the pipeline's simulation, fewer go at once. */
function createCrew({ partitions, workers: first, startSeconds, restartSeconds }: ProjectorDay) {
  const starting: { readonly at: number; readonly workers: number }[] = [];
  const counts = { scalings: 0, workersMax: first };
  let [workers, asked, heldUntil, seconds] = [first, first, 0, 0];

  function deal(now: number, at: number): void {
    if (now === workers) return;
    workers = now;
    counts.workersMax = Math.max(counts.workersMax, workers);
    heldUntil = at + restartSeconds;
  }

  return {
    workers: () => workers,
    asked: () => asked,
    works: (at: number) => at >= heldUntil,
    /** Of a second that begins. */
    arrive(at: number): void {
      for (let next = starting[0]; next !== undefined && next.at <= at; next = starting[0]) {
        starting.shift();
        // Fewer may have been asked for by then.
        deal(Math.max(workers, Math.min(next.workers, asked)), at);
      }
      seconds += workers;
    },
    ask(wanted: number, at: number): void {
      const next = Math.min(partitions, Math.max(1, Math.round(wanted)));
      if (next === asked) return;
      counts.scalings += 1;
      const before = asked;
      asked = next;
      if (next < before) deal(Math.min(workers, next), at);
      else starting.push({ at: at + startSeconds, workers: next });
    },
    outcome: () => ({ ...counts, workerHours: seconds / 3600 }),
  };
}

/** What waits in each partition, and since when: all have the same arrivals, so one curve tells the age of what is next in any. */
function createQueues(partitions: number, seconds: number) {
  /** Of a partition, by the end of each second. */
  const came = new Float64Array(seconds + 1);
  const folded = new Float64Array(partitions);
  /** The second in which the next event of a partition came. */
  const next = new Int32Array(partitions);
  let now = 0;
  /** What has come as far as the workers. */
  let relayed = 0;
  const of = (at: number): number => came[at] as number;

  /** One worker's second: what waits in its partitions goes down alike. */
  function foldOne(worker: number, workers: number, pace: number): number {
    let waits = 0;
    for (let one = worker; one < partitions; one += workers) waits += of(relayed) - (folded[one] as number);
    if (waits <= 0) return 0;
    const share = Math.min(1, pace / waits);
    for (let one = worker; one < partitions; one += workers) {
      const before = folded[one] as number;
      folded[one] = share === 1 ? of(relayed) : before + share * (of(relayed) - before);
      // Up to what is there, also where nothing came in a second.
      while ((next[one] as number) < now && of((next[one] as number) + 1) <= (folded[one] as number)) {
        next[one] = (next[one] as number) + 1;
      }
    }
    return Math.min(pace, waits);
  }

  return {
    add(events: number, isRelayed: boolean): void {
      now += 1;
      came[now] = of(now - 1) + events / partitions;
      if (isRelayed) relayed = now;
    },
    fold(workers: number, pace: number): number {
      let done = 0;
      for (let worker = 0; worker < Math.min(workers, partitions); worker += 1) done += foldOne(worker, workers, pace);
      return done;
    },
    /** Age of the oldest event that waits. */
    lagSeconds(): number {
      let oldest = now;
      for (let one = 0; one < partitions; one += 1) {
        const second = next[one] as number;
        if (second >= oldest) continue;
        const [from, to] = [of(second), of(second + 1)];
        oldest = Math.min(oldest, second + ((folded[one] as number) - from) / (to - from));
      }
      return now - oldest;
    },
    waiting: (): number[] => Array.from(folded, (done) => of(now) - done),
  };
}
