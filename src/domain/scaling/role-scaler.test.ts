import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RoleSeen } from "./observation.ts";
import { defaultPolicy, type ScalingPolicy } from "./policy.ts";
import { createRoleScaler } from "./role-scaler.ts";

const every = 15;
const partitionsOf = (count: number, one: { backlog: number; lagSeconds: number; rateOut?: number }) =>
  Array.from({ length: count }, (_, partition) => ({
    ...{ partition, backlog: one.backlog / count, lagSeconds: one.lagSeconds },
    ...(one.rateOut === undefined ? {} : { rateOut: one.rateOut / count }),
  }));

const calm: Omit<RoleSeen, "atSeconds"> = {
  ...{ running: 1, rateIn: 100, rateOut: 100, backlog: 0, lagSeconds: 0, busyShare: 0.2 },
  partitions: partitionsOf(4, { backlog: 0, lagSeconds: 0 }),
};
const behind = (rateIn: number, rateOut: number, backlog: number, running = 1): Omit<RoleSeen, "atSeconds"> => ({
  ...{ running, rateIn, rateOut, backlog, lagSeconds: 60, busyShare: 1 },
  partitions: partitionsOf(4, { backlog, lagSeconds: 60, rateOut }),
});

function projector(policy: Partial<ScalingPolicy> = {}) {
  const scaler = createRoleScaler("projector", { ...defaultPolicy, ...policy });
  let at = 0;
  return {
    see(seen: Omit<RoleSeen, "atSeconds">, times = 1) {
      for (let n = 0; n < times; n += 1) {
        at += every;
        scaler.observe({ ...seen, atSeconds: at });
      }
      return this.plan();
    },
    plan(factor = 1) {
      const plan = scaler.plan(factor);
      if (plan === null) throw new Error("nothing was seen");
      return plan;
    },
  };
}

describe("projectors", () => {
  it("that keep up are left as they are, and what one can do is estimated from how busy it was", () => {
    const plan = projector().see(calm, 5);
    expect(plan).toMatchObject({ desired: 1, neededNow: 1, binds: "nothing", moreWouldHelp: false });
    expect(plan.capacity).toMatchObject({ source: "busy_share", perWorker: 500 });
    expect(plan.why).toBe(
      "100 events/s come in and none wait; a worker does 500/s (estimated from how busy it was, 0 ms ago), so 1 is needed.",
    );
  });

  it("that are behind are measured, and as many asked for as drain it in time", () => {
    const one = projector();
    one.see(calm, 2);
    const plan = one.see(behind(600, 400, 30_000), 4);
    expect(plan.capacity?.source).toBe("catching_up");
    expect(plan.capacity?.perWorker).toBeCloseTo(400, 6);
    // 30,000 / 60 + 600 / .95 = 1,132: 2.8 workers, so all four partitions get one.
    expect(plan).toMatchObject({ neededNow: 4, desired: 4, binds: "workers", moreWouldHelp: true });
    expect(plan.drainSeconds).toEqual({ running: null, desired: 30 });
    expect(plan.why).toContain("so 4 are needed; 4 clear the backlog in 30 s");
  });

  it("asked for beyond the partitions: these bind, and the plan says what would help", () => {
    const plan = projector().see(behind(4000, 400, 90_000), 6);
    expect(plan).toMatchObject({ desired: 4, most: 4, binds: "partitions", moreWouldHelp: false });
    expect(plan.why).toContain("the 4 partitions are the most that can share the work");
  });

  it("are never judged by work that stood still while it was dealt anew", () => {
    const one = projector();
    one.see(behind(600, 400, 30_000), 4);
    const dealt = one.see(behind(600, 90, 36_000, 2), 1);
    expect(dealt.capacity?.perWorker).toBeCloseTo(400, 6);
  });

  it("come down one cool-down after the other, to what was enough all the while", () => {
    const one = projector({ downAfterSeconds: 300 });
    one.see(behind(600, 400, 30_000), 4);
    one.see({ ...behind(600, 1600, 10_000, 4) }, 4);
    const quiet = { ...calm, running: 4, rateIn: 500, rateOut: 500 };
    expect(one.see(quiet, 10).desired).toBe(4);
    expect(one.see(quiet, 30).desired).toBe(2);
    expect(one.see({ ...calm, running: 2, rateIn: 0, rateOut: 0 }, 60).desired).toBe(1);
  });

  it("are asked for before a lesson that each day has, by as long as one takes to start, and go again where it does not come", () => {
    const scaler = createRoleScaler("projector", defaultPolicy);
    const hour = 3600;
    const surges = Array.from({ length: 288 }, (_, span) => (span === 96 || span === 97 ? 3 : 1));
    scaler.useProfile({ factors: Array.from({ length: 24 }, () => 1), surges, days: 7 });
    const desiredAt = new Map<number, number | undefined>();
    for (let at = 5 * hour; at <= 9 * hour; at += every) {
      scaler.observe({ ...calm, rateIn: 250, rateOut: 250, busyShare: 0.5, atSeconds: at });
      desiredAt.set(at, scaler.plan()?.desired);
    }
    // 500/s of each: 250 take one; 750 two, and with what the change costs three, so that each of the four partitions gets one.
    expect(desiredAt.get(8 * hour - 150)).toBe(1);
    expect(desiredAt.get(8 * hour - 120)).toBe(4);
    expect(desiredAt.get(9 * hour)).toBe(1);
  });

  it("do not flap about a rate at the edge of a number of workers", () => {
    const one = projector();
    one.see(behind(600, 400, 30_000), 4);
    let last = one.plan().desired;
    let changes = 0;
    for (let n = 0; n < 500; n += 1) {
      // About two workers' worth, up and down by 4 %.
      const rate = 535 * (1 + 0.04 * Math.sin(n));
      const { desired } = one.see({ ...calm, running: last, rateIn: rate, rateOut: rate }, 1);
      if (desired !== last) changes += 1;
      last = desired;
    }
    expect(changes).toBeLessThanOrEqual(1);
  });

  it("keep to what was asked for while the number that runs wobbles in a roll-out", () => {
    const one = projector();
    one.see(behind(600, 400, 30_000), 4);
    const { desired } = one.see({ ...calm, running: 4 }, 1);
    for (const running of [3, 5, 4, 2, 4])
      expect(one.see({ ...calm, running, rateIn: 600, rateOut: 600 }, 1).desired).toBe(desired);
  });

  it("more of them are not asked for where the last ones brought nothing: what they share is full", () => {
    const one = projector({ coolDownSeconds: 240 });
    one.see(behind(380, 400, 5_000), 4);
    const plan = one.see(behind(2000, 402, 200_000, 2), 8);
    expect(plan.lastScaling).toMatchObject({ from: 1, to: 2, rateBefore: 400, rateAfter: 402 });
    expect(plan.lastScaling?.effect).toBeCloseTo(0.005, 6);
    expect(plan).toMatchObject({ binds: "shared", moreWouldHelp: false, desired: 2 });
    expect(plan.why).toContain("from 1 to 2 brought 0 %");
  });

  it("of a partition that does not move: more would not help, and none are asked for", () => {
    const one = projector();
    const partitions = [0, 1, 2, 3].map((partition) => ({
      ...{ partition, lagSeconds: partition === 2 ? 90 : 0, rateIn: 50 },
      ...(partition === 2 ? { backlog: 9000, rateOut: 0 } : { backlog: 0, rateOut: 50 }),
    }));
    const plan = one.see({ ...calm, rateIn: 200, rateOut: 150, backlog: 9000, lagSeconds: 90, partitions }, 5);
    expect(plan).toMatchObject({ binds: "stuck", desired: 1 });
    expect(plan.why).toContain("partition 2 does not move");
  });

  it("of a hot partition: it has one worker at a time", () => {
    const one = projector();
    one.see(behind(100, 400, 9000), 4);
    const partitions = [0, 1, 2, 3].map((partition) => ({
      ...{ partition, lagSeconds: 30, rateOut: partition === 3 ? 400 : 30 },
      ...(partition === 3 ? { backlog: 30_000, rateIn: 500 } : { backlog: 10, rateIn: 30 }),
    }));
    const plan = one.see({ ...behind(590, 490, 30_030, 4), partitions }, 1);
    expect(plan).toMatchObject({ binds: "hot_partition", moreWouldHelp: false });
    expect(plan.why).toContain("partition 3 takes more than one worker does");
  });

  it("that wait for the relay, or for connections, are not added to", () => {
    const relayed = projector().see({ ...behind(500, 400, 30_000), notArrived: 29_000 }, 5);
    expect(relayed).toMatchObject({ binds: "relay", moreWouldHelp: false });
    const pooled = projector().see({ ...behind(900, 400, 30_000), poolWaiting: 7 }, 5);
    expect(pooled).toMatchObject({ binds: "pool", desired: 1 });
  });

  it("one that folds the log by itself: others need Kafka", () => {
    const plan = projector().see({ ...behind(900, 400, 30_000), most: 1 }, 5);
    expect(plan).toMatchObject({ desired: 1, most: 1, binds: "workers_max" });
    expect(plan.why).toContain("KAFKA_BROKERS");
  });

  it("parked learners are told of: they wait for a retry, not for workers", () => {
    expect(projector().see({ ...calm, parked: 2 }, 3).why).toContain(
      "2 parked learners wait for proximal parked retry",
    );
  });

  it("what if twice as much came in", () => {
    const one = projector();
    one.see(behind(600, 400, 4000), 4);
    const now = one.plan();
    const twice = one.plan(2);
    expect(twice.rateIn).toBe(2 * now.rateIn);
    expect(twice.neededNow).toBe(4);
    expect(twice.desired).toBe(4);
    expect(one.plan()).toEqual(now);
  });

  it("that nobody runs are asked for all the same, and nobody knows what one does", () => {
    const plan = projector().see({ ...behind(10, 0, 500), running: 0, busyShare: null, partitions: null }, 3);
    expect(plan).toMatchObject({ desired: 1, neededNow: null, binds: "workers" });
    expect(plan.why).toContain("none runs");
  });
});

describe("other roles", () => {
  const requests = (running: number, busyShare: number): RoleSeen => ({
    ...{ atSeconds: 0, running, rateIn: 1000, rateOut: 1000, backlog: 0, lagSeconds: 0, partitions: null, busyShare },
  });

  it("who answers requests is scaled by how busy it is", () => {
    const api = createRoleScaler("api", defaultPolicy);
    for (let n = 0; n < 12; n += 1) api.observe({ ...requests(2, 0.95), atSeconds: n * every });
    // 2 x .95 / .8 = 2.4: requests do not wait for what restarts.
    expect(api.plan()).toMatchObject({ desired: 3, neededNow: 3, binds: "workers" });
    expect(api.plan()?.why).toContain("workers are 95 % busy");
  });

  it("idle ones go, down to one, although nobody could measure anything", () => {
    const api = createRoleScaler("api", defaultPolicy);
    for (let n = 0; n < 60; n += 1) api.observe({ ...requests(6, 0.01), atSeconds: n * every, rateIn: 2, rateOut: 2 });
    expect(api.plan()?.desired).toBe(1);
  });

  it("jobs go by their backlog, with no partitions to stop at", () => {
    const jobs = createRoleScaler("jobs", defaultPolicy);
    const seen = { running: 1, rateIn: 2, rateOut: 1, backlog: 900, lagSeconds: 400, partitions: null, busyShare: 0.9 };
    for (let n = 0; n < 6; n += 1) jobs.observe({ ...seen, atSeconds: n * every });
    // 900 / 60 + 2 x 20 / 60 + 2 / .95 = 17.8 of 1 each, once they are to be more; 17.1 without what the change costs.
    expect(jobs.plan()).toMatchObject({ desired: 18, neededNow: 18, binds: "workers" });
  });

  it("relay and trainer have one that works, whatever comes", () => {
    const trainer = createRoleScaler("trainer", defaultPolicy);
    const seen = { running: 2, rateIn: 900, rateOut: 1, backlog: 1e6, lagSeconds: 900, partitions: null, busyShare: 1 };
    for (let n = 0; n < 6; n += 1) trainer.observe({ ...seen, atSeconds: n * every });
    expect(trainer.plan()).toMatchObject({ desired: 1, most: 1, binds: "sole", moreWouldHelp: false });
  });
});

it("whatever is seen: a whole number of workers within bounds, and a sentence", () => {
  const number = fc.double({ min: 0, max: 1e6, noNaN: true });
  const seen = fc.record({
    ...{
      running: fc.integer({ min: 0, max: 40 }),
      rateIn: number,
      rateOut: number,
      backlog: number,
      lagSeconds: number,
    },
    busyShare: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    partitions: fc.option(fc.constantFrom(1, 4, 7, 16)),
  });
  fc.assert(
    fc.property(
      fc.array(seen, { minLength: 1, maxLength: 30 }),
      fc.constantFrom("projector", "jobs", "api", "relay"),
      (all, role) => {
        const scaler = createRoleScaler(role as "projector", defaultPolicy);
        for (const [at, one] of all.entries()) {
          const { partitions: count, ...rest } = one;
          const partitions = count === null ? null : partitionsOf(count, rest);
          scaler.observe({ ...rest, partitions, atSeconds: at * every });
          const plan = scaler.plan();
          expect(Number.isInteger(plan?.desired)).toBe(true);
          expect(plan?.desired).toBeGreaterThanOrEqual(1);
          expect(plan?.desired).toBeLessThanOrEqual(Math.max(defaultPolicy.workersMax, all[0]?.running ?? 0));
          expect(plan?.why).toMatch(/^[A-Z0-9].*\.$/);
          expect(plan?.why).not.toMatch(/NaN|Infinity|undefined|null/);
        }
      },
    ),
    { numRuns: 60 },
  );
});
