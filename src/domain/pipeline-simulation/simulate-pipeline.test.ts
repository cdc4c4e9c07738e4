import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { erlangC, meanWait, waitQuantile } from "../capacity/queueing.ts";
import type { PipelineModel, Scenario } from "./model.ts";
import { simulatePipeline } from "./simulate-pipeline.ts";

const nothing = { meanMs: 0 };

/** Nothing takes any time but what a test says. */
const instant: PipelineModel = {
  api: {
    ...{ processes: 1, balancing: "random", post: nothing, next: nothing, nextRead: nothing },
    ...{ memoryHitShare: 1, readWaitMs: 100, transport: nothing },
  },
  commit: {
    ...{ base: nothing, perEventMs: 0, serialMs: 0, eventsMax: 500, inFlightMax: 2, besideFrom: 32 },
    queueMax: 50_000,
  },
  feed: { wake: nothing, relay: null },
  projector: {
    ...{ partitions: 1, workers: 1, batch: nothing, event: nothing, eventsMax: 20_000, write: nothing },
    ...{ writeEventMs: 0, writeDeadlineMs: 5000, retryMs: 100, retryMsMax: 10_000, startMs: 0, rebalanceMs: 0 },
  },
  redisRoundTrip: nothing,
  notice: nothing,
};

/** As a process of each role has it, about. */
const usual: PipelineModel = {
  api: {
    ...instant.api,
    ...{ processes: 2, post: { meanMs: 0.15, cv: 1 }, next: { meanMs: 0.03, cv: 1 } },
    ...{ nextRead: { meanMs: 0.05, cv: 1 }, memoryHitShare: 0.5 },
  },
  commit: { ...instant.commit, base: { meanMs: 3, cv: 0.5 }, perEventMs: 0.02, serialMs: 1.5 },
  feed: { wake: { meanMs: 1, cv: 0.5 }, relay: null },
  projector: {
    ...instant.projector,
    ...{ partitions: 4, workers: 1, batch: { meanMs: 2, cv: 0.5 }, event: { meanMs: 0.06, cv: 0.5 } },
    ...{ write: { meanMs: 1, cv: 0.5 }, writeEventMs: 0.005, startMs: 5000, rebalanceMs: 500 },
  },
  redisRoundTrip: { meanMs: 0.3, cv: 1 },
  notice: { meanMs: 0.5, cv: 1 },
};

const scenario = (given: Partial<Scenario>): Scenario => ({
  ...{ seconds: 60, posts: { perSecond: 0 }, nexts: { perSecond: 0 }, outages: [], seed: 1, resolutionMs: 0 },
  ...given,
});

describe("against closed forms, next lists at the processes of the API", () => {
  /** Utilisation .8; so many arrivals that the mean of their correlated waits is good to some percent. */
  const measured = (servers: number, balancing: "random" | "shared", cv: number, utilisation = 0.8) => {
    const serviceMs = 10;
    const rate = (utilisation * servers * 1000) / serviceMs;
    const model = {
      ...instant,
      api: { ...instant.api, processes: servers, balancing, next: { meanMs: serviceMs, cv } },
    };
    const { next, utilisation: used } = simulatePipeline(
      model,
      scenario({ seconds: 300_000 / rate, nexts: { perSecond: rate }, warmUpSeconds: 5 }),
    );
    const station = { servers, rate, serviceSeconds: serviceMs / 1000, serviceCv2: cv ** 2 };
    return { next, used, station, serviceMs };
  };
  const close = (value: number, expected: number, share: number): void => {
    expect(value).toBeGreaterThan(expected * (1 - share));
    expect(value).toBeLessThan(expected * (1 + share));
  };

  it("M/M/1: mean and 99 % of the time in the system", () => {
    const { next, used, serviceMs } = measured(1, "shared", 1);
    close(used.api, 0.8, 0.01);
    close(next.meanMs, serviceMs / 0.2, 0.06);
    // The time in the system is exponential with mean 1 / (mu - lambda).
    close(next.p99Ms, (serviceMs / 0.2) * Math.log(100), 0.1);
    close(next.p50Ms, (serviceMs / 0.2) * Math.log(2), 0.06);
  });

  it("M/D/1: the mean of Pollaczek and Khinchine, half of M/M/1's wait", () => {
    const { next, station, serviceMs } = measured(1, "shared", 0);
    close(next.meanMs - serviceMs, meanWait(station) * 1000, 0.06);
    close(meanWait(station) * 1000, (0.8 / (2 * 0.2)) * serviceMs, 1e-9);
  });

  it.each([2, 5])("M/M/%i: Erlang C", (servers) => {
    const { next, station, serviceMs } = measured(servers, "shared", 1);
    close(next.meanMs - serviceMs, meanWait(station) * 1000, 0.08);
    const expected = (erlangC(servers, 0.8 * servers) * serviceMs) / (servers * 0.2);
    close(meanWait(station) * 1000, expected, 1e-9);
  });

  it("a process picked at random is M/M/1 for itself, however many there are", () => {
    const { next, serviceMs } = measured(4, "random", 1);
    close(next.meanMs, serviceMs / 0.2, 0.08);
  });

  it("lognormal service: M/G/1 by its variance", () => {
    const { next, station, serviceMs } = measured(1, "shared", 0.5);
    close(next.meanMs - serviceMs, meanWait(station) * 1000, 0.06);
  });

  it("the tail of the wait is where waitQuantile says", () => {
    const { next, station, serviceMs } = measured(3, "shared", 0.000_001);
    // Service is next to constant: the wait is the time in the system less that. The form for M/D/c is an approximation.
    close(next.p99Ms - serviceMs, waitQuantile(station, 0.99) * 1000, 0.25);
  });
});

describe("conservation", () => {
  const anyModel = fc.record({
    processes: fc.integer({ min: 1, max: 4 }),
    partitions: fc.integer({ min: 1, max: 6 }),
    workers: fc.integer({ min: 1, max: 6 }),
    queueMax: fc.constantFrom(20, 50_000),
    relay: fc.boolean(),
    rate: fc.integer({ min: 1, max: 800 }),
    spike: fc.integer({ min: 1, max: 10 }),
    outage: fc.constantFrom("redis", "log", "projector", "relay" as const),
    seed: fc.integer({ min: 0, max: 1e6 }),
    resolutionMs: fc.constantFrom(0, 10, 100),
  });

  it("what arrives is refused, or stored and folded, or on its way; and all of it is folded once it is left in peace", () => {
    fc.assert(
      fc.property(
        anyModel,
        ({ processes, partitions, workers, queueMax, relay, rate, spike, outage, seed, resolutionMs }) => {
          const model: PipelineModel = {
            ...usual,
            api: { ...usual.api, processes },
            commit: { ...usual.commit, queueMax },
            feed: { ...usual.feed, relay: relay ? { batch: { meanMs: 2 }, perEventMs: 0.02, eventsMax: 1000 } : null },
            projector: { ...usual.projector, partitions, workers },
          };
          const spikes = [{ fromSeconds: 1, seconds: 2, factor: spike }];
          const run = (seconds: number) =>
            simulatePipeline(
              model,
              scenario({
                ...{ seconds, seed, resolutionMs, outages: [{ engine: outage, fromSeconds: 2, seconds: 3 }] },
                // Nothing arrives after the fifth second: whatever a spike multiplies by zero stays zero.
                posts: { perSecond: rate, spikes: [...spikes, { fromSeconds: 5, seconds: 1000, factor: 0 }] },
                nexts: { perSecond: 20, spikes: [{ fromSeconds: 5, seconds: 1000, factor: 0 }] },
              }),
            );
          const { interactions: during, post } = run(3);
          expect(during.notCommitted).toBeGreaterThanOrEqual(0);
          expect(during.notFolded).toBeGreaterThanOrEqual(0);
          expect(post.count).toBe(during.committed);
          const { interactions: after, visible, timeline } = run(40);
          expect(after).toMatchObject({ notCommitted: 0, notFolded: 0, folded: after.committed });
          expect(after.arrived).toBe(after.refused + after.committed);
          expect(visible.count).toBe(after.folded);
          expect(timeline.at(-1)).toMatchObject({ lagEvents: 0, lagSeconds: 0, waiting: 0 });
        },
      ),
      { numRuns: 25 },
    );
  });

  it("a queue that is full refuses, and what it took in is stored", () => {
    const model = { ...usual, commit: { ...usual.commit, queueMax: 100 } };
    const outages = [{ engine: "log" as const, fromSeconds: 2, seconds: 5 }];
    const { interactions } = simulatePipeline(model, scenario({ seconds: 20, posts: { perSecond: 500 }, outages }));
    expect(interactions.refused).toBeGreaterThan(500);
    expect(interactions.arrived - interactions.refused - interactions.committed).toBeLessThan(50);
  });
});

describe("the same seed", () => {
  const given = scenario({
    ...{ seconds: 20, posts: { perSecond: 200 }, nexts: { perSecond: 200 } },
    outages: [{ engine: "redis", fromSeconds: 5, seconds: 7 }],
  });

  it("gives the same result, and another seed another", () => {
    expect(simulatePipeline(usual, given)).toEqual(simulatePipeline(usual, given));
    expect(simulatePipeline(usual, { ...given, seed: 2 })).not.toEqual(simulatePipeline(usual, given));
  });

  it("a controller that changes nothing changes nothing", () => {
    const { timeline, ...rest } = simulatePipeline(usual, given, { everySeconds: 1, decide: () => null });
    const { timeline: without, ...alone } = simulatePipeline(usual, given);
    expect([rest, timeline]).toEqual([alone, without]);
  });
});

describe("monotony: more of what helps is never worse", () => {
  const load = fc.record({
    rate: fc.integer({ min: 50, max: 1500 }),
    factor: fc.integer({ min: 1, max: 10 }),
    seed: fc.integer({ min: 0, max: 1e6 }),
  });
  const under = ({ rate, factor, seed }: { rate: number; factor: number; seed: number }, model: PipelineModel) =>
    simulatePipeline(
      model,
      scenario({
        ...{ seconds: 12, seed, posts: { perSecond: rate, spikes: [{ fromSeconds: 2, seconds: 3, factor }] } },
        outages: [{ engine: "projector", fromSeconds: 4, seconds: 2 }],
      }),
    );
  // Constant times: chance would meet other batches, and hide what is compared.
  const constant: PipelineModel = {
    ...usual,
    api: { ...usual.api, post: { meanMs: 0.15 }, next: { meanMs: 0.03 } },
    commit: { ...usual.commit, base: { meanMs: 3 } },
    feed: { ...usual.feed, wake: { meanMs: 1 } },
    projector: { ...usual.projector, batch: { meanMs: 2 }, event: { meanMs: 0.6 }, write: { meanMs: 1 } },
    notice: { meanMs: 0.5 },
  };

  it("workers: the mean of answer-to-visible and the lag", () => {
    fc.assert(
      fc.property(load, (given) => {
        const with_ = (workers: number) => under(given, { ...constant, projector: { ...constant.projector, workers } });
        const [one, two, four] = [with_(1), with_(2), with_(4)];
        expect(two.visible.count).toBeGreaterThanOrEqual(one.visible.count * 0.99);
        // What is not folded at the end has no time yet: compared by the lag, which counts it.
        expect(two.lag.eventsMax).toBeLessThanOrEqual(one.lag.eventsMax * 1.02 + 20);
        expect(four.lag.eventsMax).toBeLessThanOrEqual(two.lag.eventsMax * 1.02 + 20);
      }),
      { numRuns: 15 },
    );
  });

  it("rate: more arrivals are not folded sooner", () => {
    fc.assert(
      fc.property(load, ({ rate, factor, seed }) => {
        const [less, more] = [
          under({ rate, factor, seed }, constant),
          under({ rate: rate * 2, factor, seed }, constant),
        ];
        expect(more.lag.eventsMax).toBeGreaterThanOrEqual(less.lag.eventsMax * 0.98);
        expect(more.interactions.notFolded).toBeGreaterThanOrEqual(less.interactions.notFolded * 0.9 - 50);
      }),
      { numRuns: 15 },
    );
  });

  it("an outage that is longer leaves a longer lag", () => {
    const lagAfter = (seconds: number) =>
      simulatePipeline(
        usual,
        scenario({ posts: { perSecond: 300 }, outages: [{ engine: "projector", fromSeconds: 10, seconds }] }),
      ).lag.secondsMax;
    const lags = [0, 2, 5, 10, 20].map(lagAfter);
    expect(lags).toEqual([...lags].sort((a, b) => a - b));
    expect(lags[4]).toBeGreaterThan(19.5);
    expect(lags[4]).toBeLessThan(20.5);
  });
});

describe("a controller", () => {
  /** A day in which one worker is enough but for the evening, in ten-second grains. */
  const slow = { ...usual, projector: { ...usual.projector, partitions: 4, event: { meanMs: 8 } } };
  const day = scenario({
    ...{ seconds: 86_400, posts: { perSecond: 60, dayPeakFactor: 4 }, resolutionMs: 1000, sampleSeconds: 30 },
  });
  const byLag = (most: number) => ({
    everySeconds: 60,
    decide: ({
      lagSeconds,
      workersAsked,
      busyShare,
    }: {
      lagSeconds: number;
      workersAsked: number;
      busyShare: number;
    }) => {
      if (lagSeconds > 5) return Math.min(most, workersAsked + 1);
      return busyShare < 0.3 && workersAsked > 1 ? workersAsked - 1 : null;
    },
  });

  it("adds workers when there is lag, takes them away, and pays for fewer hours than as many all day", () => {
    const alone = simulatePipeline(slow, day);
    const scaled = simulatePipeline(slow, day, byLag(4));
    const always = simulatePipeline({ ...slow, projector: { ...slow.projector, workers: 4 } }, day);
    expect(alone.lag.shareOver10s).toBeGreaterThan(0.2);
    expect(scaled.lag.shareOver10s).toBeLessThan(alone.lag.shareOver10s / 4);
    expect(scaled.workersMax).toBeGreaterThan(1);
    expect(scaled.timeline.at(-1)?.workers).toBeLessThan(scaled.workersMax);
    expect(scaled.workerHours).toBeGreaterThan(alone.workerHours);
    expect(scaled.workerHours).toBeLessThan(always.workerHours * 0.8);
    expect(always.workerHours).toBeCloseTo(96, 6);
    expect(scaled.interactions.notFolded).toBeLessThan(1000);
  });

  it("never has more workers than partitions, nor fewer than one", () => {
    const asked = [100, 0, -3, 2.4, 100];
    const { workersMax, timeline, scalings } = simulatePipeline(usual, scenario({ posts: { perSecond: 50 } }), {
      everySeconds: 10,
      decide: () => asked.shift() ?? null,
    });
    expect(workersMax).toBe(4);
    expect(Math.min(...timeline.map(({ workers }) => workers))).toBe(1);
    expect(scalings).toBe(4);
  });

  it("sees rates, lag by partition and how busy workers are", () => {
    const seen: { rateIn: number; busyShare: number; lagEvents: number; lagByPartition: readonly number[] }[] = [];
    simulatePipeline(usual, scenario({ posts: { perSecond: 200 } }), {
      everySeconds: 20,
      decide: (observation) => {
        seen.push(observation);
        return null;
      },
    });
    expect(seen).toHaveLength(3);
    for (const { rateIn, busyShare, lagEvents, lagByPartition } of seen) {
      expect(Math.abs(rateIn / 200 - 1)).toBeLessThan(0.1);
      expect(busyShare).toBeGreaterThan(0.1);
      expect(busyShare).toBeLessThan(0.9);
      expect(lagByPartition).toHaveLength(4);
      // What a relay or a wake-up has in hand is with no partition yet.
      expect(lagByPartition.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(lagEvents);
    }
  });
});

describe("engines that stand still", () => {
  const run = (engine: "redis" | "log" | "projector", seconds: number) =>
    simulatePipeline(
      usual,
      scenario({
        ...{ posts: { perSecond: 200 }, nexts: { perSecond: 200 } },
        outages: [{ engine, fromSeconds: 20, seconds }],
      }),
    );

  it("Redis: next lists come from memory within the wait, stale; posts do not notice", () => {
    const { next, post, lag, batches } = run("redis", 8);
    expect(next.maxMs).toBeLessThan(150);
    expect(next.staleShare).toBeGreaterThan(0.04);
    expect(post.maxMs).toBeLessThan(100);
    // A write that had no answer within its deadline is tried again.
    expect(batches.failed).toBeGreaterThan(0);
    expect(lag.secondsMax).toBeGreaterThan(7.5);
  });

  it("the log: posts wait for it, and are answered then", () => {
    const { post, interactions } = run("log", 5);
    expect(post.maxMs).toBeGreaterThan(4900);
    expect(post.maxMs).toBeLessThan(5600);
    expect(interactions.refused).toBe(0);
  });

  it("projectors: answers lag, posts do not", () => {
    const { post, visible, lag } = run("projector", 10);
    expect(post.maxMs).toBeLessThan(100);
    expect(visible.maxMs).toBeGreaterThan(9_900);
    expect(lag.secondsMax).toBeGreaterThan(9.8);
  });
});

describe("arrivals that are taken together", () => {
  it("tell the same as one by one, but for their grain", () => {
    const given = scenario({
      ...{ seconds: 40, posts: { perSecond: 1000, spikes: [{ fromSeconds: 15, seconds: 10, factor: 16 }] } },
      warmUpSeconds: 5,
    });
    const one = simulatePipeline(usual, given);
    const together = simulatePipeline(usual, { ...given, resolutionMs: 20 });
    expect(together.interactions.arrived / one.interactions.arrived).toBeCloseTo(1, 1);
    expect(Math.abs(together.lag.eventsMax / one.lag.eventsMax - 1)).toBeLessThan(0.15);
    expect(Math.abs(together.visible.p99Ms / one.visible.p99Ms - 1)).toBeLessThan(0.15);
  });
});
