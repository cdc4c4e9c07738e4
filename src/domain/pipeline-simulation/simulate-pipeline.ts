import { mulberry32 } from "../random.ts";
import { rateAt, scheduleArrivals } from "./arrivals.ts";
import { createCalendar } from "./calendar.ts";
import { type Cohort, countOf, createCohortQueue } from "./cohort.ts";
import { createGroupCommit } from "./commits.ts";
import { binomial, draw } from "./durations.ts";
import { createLatencies } from "./latencies.ts";
import type { Controller, Engine, PipelineModel, Sample, Scenario, SimulationResult } from "./model.ts";
import { createProjectors } from "./projectors.ts";
import { createStation, type Pause } from "./station.ts";

/** Arrivals that are simulated one by one, at the most. */
const arrivalsMax = 5_000_000;

/**
 * Lives through a scenario, event by event: POSTs wait for a process, for a group commit and for the log; what is stored
 * goes to partitions, directly or through a relay, and is folded and written by workers; next lists wait for the same
 * processes and for Redis. The same seed gives the same result. What it leaves out is listed in docs/capacity.md.
 */
export function simulatePipeline(model: PipelineModel, scenario: Scenario, controller?: Controller): SimulationResult {
  const resolutionMs = scenario.resolutionMs ?? resolutionFor(scenario);
  const run = startRun(model, scenario);
  const { calendar, streams } = run;
  const { seconds, posts, nexts } = scenario;
  const arrivals = { calendar, untilSeconds: seconds, resolutionMs };
  scheduleArrivals({ ...arrivals, random: streams("posts"), profile: posts, arrive: run.post });
  scheduleArrivals({ ...arrivals, random: streams("nexts"), profile: nexts, arrive: run.next });
  const timeline = observe(run, scenario, controller);
  calendar.runUntil(seconds);
  run.projectors.settle();
  return { ...run.result(timeline), resolutionMs };
}

/** Milliseconds: one by one where that is affordable. */
function resolutionFor({ seconds, posts, nexts }: Scenario): number {
  const mean = (profile: Scenario["posts"]): number => {
    const rate = rateAt(profile);
    let sum = 0;
    const steps = 1000;
    for (let step = 0; step < steps; step += 1) sum += rate(((step + 0.5) / steps) * seconds);
    return sum / steps;
  };
  const expected = (mean(posts) + mean(nexts)) * seconds;
  return expected <= arrivalsMax ? 0 : Math.max(1, Math.ceil((2 * seconds * 1000) / (arrivalsMax / 4)));
}

type Run = ReturnType<typeof startRun>;

function startRun(model: PipelineModel, scenario: Scenario) {
  const calendar = createCalendar();
  /** Each kind of chance has its own numbers, so that a change of one leaves the others as they were. */
  const streams = (name: "posts" | "nexts" | "work" | "partitions") =>
    mulberry32(scenario.seed * 4 + ["posts", "nexts", "work", "partitions"].indexOf(name));
  const work = streams("work");
  const toPartitions = streams("partitions");
  const pausesOf = (engine: Engine): Pause[] => scenario.outages.filter((outage) => outage.engine === engine);
  const { api, feed, projector } = model;
  const from = scenario.warmUpSeconds ?? 0;

  const log = createStation(1, pausesOf("log"));
  const redis = createStation(1, pausesOf("redis"));
  const relay = createStation(1, pausesOf("relay"));
  const processes =
    api.balancing === "shared"
      ? [createStation(api.processes)]
      : Array.from({ length: api.processes }, () => createStation(1));
  const latencies = { post: createLatencies(), next: createLatencies(), visible: createLatencies() };
  const counts = { arrived: 0, refused: 0, committed: 0, commits: 0, nexts: 0, stale: 0 };

  const projectors = createProjectors({
    ...{ calendar, random: work, model: projector, redis, pauses: pausesOf("projector") },
    folded(cohorts, at) {
      // The POST and the query that waits.
      const known = draw(work, model.notice) + draw(work, api.transport, 2);
      for (const { postedAt, count } of cohorts) {
        // The answer to the query is rendered by a process, as any other.
        if (postedAt >= from) latencies.visible.add(at - postedAt + known + api.next.meanMs / 1000, count);
      }
    },
  });

  function share(cohorts: readonly Cohort[]): void {
    for (const cohort of cohorts) {
      if (cohort.count === 1) {
        projectors.offer(Math.floor(toPartitions() * projector.partitions), cohort);
        continue;
      }
      let left = cohort.count;
      for (let partition = 0; partition < projector.partitions && left > 0; partition += 1) {
        const count = binomial(toPartitions, left, 1 / (projector.partitions - partition));
        left -= count;
        if (count > 0) projectors.offer(partition, { ...cohort, count });
      }
    }
  }

  const relayed = createCohortQueue();
  let relaying = false;
  function relayOn(): void {
    if (feed.relay === null || relayed.size() === 0) {
      relaying = false;
      return;
    }
    const cohorts = relayed.take(feed.relay.eventsMax);
    const seconds = draw(work, feed.relay.batch) + (feed.relay.perEventMs / 1000) * countOf(cohorts);
    const { endSeconds } = relay.enter(calendar.now(), seconds);
    calendar.at(endSeconds, () => {
      share(cohorts);
      relayOn();
    });
  }

  function committed(cohorts: readonly Cohort[]): void {
    const now = calendar.now();
    counts.commits += 1;
    for (const { count, postedAt } of cohorts) {
      counts.committed += count;
      if (postedAt >= from) latencies.post.add(now - postedAt + draw(work, api.transport), count);
    }
    // Readers cannot see it before the log goes on.
    calendar.at(log.endOf(now, draw(work, feed.wake)), () => {
      if (feed.relay === null) {
        share(cohorts);
        return;
      }
      for (const cohort of cohorts) relayed.put(cohort);
      if (!relaying) {
        relaying = true;
        relayOn();
      }
    });
  }

  const groups = Array.from({ length: api.processes }, () =>
    createGroupCommit({ calendar, random: work, model: model.commit, log, committed }),
  );
  const anyProcess = (): number => (processes.length === 1 ? 0 : Math.floor(work() * processes.length));

  /** Those that arrive together are dealt to the processes one by one, as far as there are so many. */
  function eachProcess(count: number, serve: (process: number, count: number) => void): void {
    if (count === 1 || processes.length === 1) serve(anyProcess(), count);
    else dealOut(count, serve);
  }

  function dealOut(count: number, serve: (process: number, count: number) => void): void {
    let left = count;
    for (let process = 0; process < processes.length && left > 0; process += 1) {
      const own = binomial(work, left, 1 / (processes.length - process));
      left -= own;
      if (own > 0) serve(process, own);
    }
  }

  function post(count: number): void {
    const postedAt = calendar.now();
    counts.arrived += count;
    eachProcess(count, (process, own) => {
      const station = processes[process] as (typeof processes)[number];
      const { endSeconds, server } = station.enter(postedAt, draw(work, api.post, own));
      const group = groups[processes.length === 1 ? server : process] as (typeof groups)[number];
      calendar.at(endSeconds, () => {
        if (!group.add({ count: own, postedAt, committedAt: 0 })) counts.refused += own;
      });
    });
  }

  function next(count: number): void {
    const askedAt = calendar.now();
    eachProcess(count, (process, own) => {
      const station = processes[process] as (typeof processes)[number];
      const hits = binomial(work, own, api.memoryHitShare);
      const seconds = draw(work, api.next, own) + (own > hits ? draw(work, api.nextRead, own - hits) : 0);
      const { endSeconds } = station.enter(askedAt, seconds);
      const read = redis.endOf(endSeconds, draw(work, model.redisRoundTrip)) - endSeconds;
      const stale = read > api.readWaitMs / 1000;
      const there = endSeconds - askedAt + draw(work, api.transport);
      if (askedAt < from) return;
      counts.nexts += own;
      latencies.next.add(there, hits);
      if (own === hits) return;
      latencies.next.add(there + Math.min(read, api.readWaitMs / 1000), own - hits);
      if (stale) counts.stale += own - hits;
    });
  }

  function result(timeline: readonly Sample[]): Omit<SimulationResult, "resolutionMs"> {
    const { arrived, refused, committed: stored, commits } = counts;
    const { folded, batches, failed, scalings, workerSeconds, workersMax } = projectors.counts;
    const share = (seconds: number): number =>
      timeline.filter(({ lagSeconds }) => lagSeconds > seconds).length / Math.max(1, timeline.length);
    const apiWorked = processes.reduce((sum, station) => sum + station.worked() - station.backlog(scenario.seconds), 0);
    return {
      interactions: {
        ...{ arrived, refused, committed: stored, folded },
        notCommitted: arrived - refused - stored,
        notFolded: stored - folded,
      },
      post: latencies.post.summary(),
      next: { ...latencies.next.summary(), staleShare: counts.nexts === 0 ? 0 : counts.stale / counts.nexts },
      visible: latencies.visible.summary(),
      lag: {
        eventsMax: Math.max(0, ...timeline.map(({ lagEvents }) => lagEvents)),
        secondsMax: Math.max(0, ...timeline.map(({ lagSeconds }) => lagSeconds)),
        shareOver1s: share(1),
        shareOver10s: share(10),
      },
      commits: { count: commits, eventsMean: commits === 0 ? 0 : stored / commits },
      batches: { count: batches, eventsMean: batches === 0 ? 0 : folded / batches, failed },
      utilisation: {
        api: apiWorked / (api.processes * scenario.seconds),
        workers: Math.min(1, projectors.worked() / Math.max(1e-9, workerSeconds)),
      },
      ...{ workerHours: workerSeconds / 3600, workersMax, scalings, timeline },
    };
  }

  return {
    ...{ calendar, streams, post, next, projectors, counts, result },
    partitions: projector.partitions,
    pending: () => groups.reduce((sum, group) => sum + group.pending(), 0),
  };
}

/** Samples for the timeline, and the controller's turns. */
function observe(
  run: Run,
  { seconds, sampleSeconds = Math.max(0.1, seconds / 600) }: Scenario,
  controller?: Controller,
) {
  const { calendar, counts, projectors } = run;
  const timeline: Sample[] = [];
  const since = () => ({ at: calendar.now(), in: counts.committed, out: projectors.counts.folded });
  const lagNow = () => {
    const oldest = projectors.oldestCommittedAt();
    return {
      lagEvents: counts.committed - projectors.counts.folded,
      lagSeconds: oldest === null ? 0 : calendar.now() - oldest,
    };
  };
  const ratesSince = (before: ReturnType<typeof since>) => {
    const now = since();
    const took = Math.max(1e-9, now.at - before.at);
    return { rateIn: (now.in - before.in) / took, rateOut: (now.out - before.out) / took };
  };

  let sampled = since();
  function sample(): void {
    timeline.push({
      ...{ atSeconds: calendar.now(), ...ratesSince(sampled), ...lagNow() },
      ...{ workers: projectors.workers(), waiting: run.pending() },
    });
    sampled = since();
    if (calendar.now() + sampleSeconds <= seconds) calendar.at(calendar.now() + sampleSeconds, sample);
  }
  calendar.at(sampleSeconds, sample);

  if (controller === undefined) return timeline;
  let asked = since();
  let worked = 0;
  let workerSeconds = 0;
  const turn = (): void => {
    projectors.settle();
    const busy = projectors.worked() - worked;
    const had = Math.max(1e-9, projectors.counts.workerSeconds - workerSeconds);
    const { partitions } = run;
    const wanted = controller.decide({
      ...{ atSeconds: calendar.now(), workers: projectors.workers(), workersAsked: projectors.workersAsked() },
      ...{ partitions, ...lagNow(), ...ratesSince(asked), busyShare: Math.min(1, busy / had) },
      lagByPartition: Array.from({ length: partitions }, (_, at) => projectors.lagOf(at)),
    });
    asked = since();
    worked = projectors.worked();
    workerSeconds = projectors.counts.workerSeconds;
    if (wanted !== null) projectors.scale(wanted);
    if (calendar.now() + controller.everySeconds <= seconds)
      calendar.at(calendar.now() + controller.everySeconds, turn);
  };
  calendar.at(controller.everySeconds, turn);
  return timeline;
}
