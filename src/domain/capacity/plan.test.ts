import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { madeUpCosts } from "../../../test/support/made-up-costs.ts";
import { foldRateFor, type Plan, planCapacity, type RolePlan, spreadOverZones } from "./plan.ts";
import { monthlyCost, type Prices } from "./prices.ts";
import { demandOf, type Rules, rulesSchema, type Workload, workloadSchema } from "./workload.ts";

const plan = (workload: Partial<Workload> = {}, rules: Partial<Rules> = {}): Plan =>
  planCapacity(madeUpCosts, workloadSchema.parse(workload), rulesSchema.parse(rules));
const role = (made: Plan, name: RolePlan["role"]): RolePlan => {
  const found = made.roles.find((one) => one.role === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

const prices: Prices = {
  ...{ asOf: "2026-01-01", currency: "EUR", source: "a test", coreHour: 0.1, memoryGbHour: 0.01, ssdGbMonth: 0.1 },
  ...{ objectGbMonth: 0.02, egressGb: 0.1, acrossZonesGb: 0.01, loadBalancerMonth: 20 },
  ...{ memoryPerLogCoreGb: 4, memoryOfBrokerGb: 8 },
};

describe("demand", () => {
  it("is what the workload says, by hand", () => {
    const demand = demandOf(
      workloadSchema.parse({ learners: 86_400, activeShare: 0.5, interactionsPerDay: 20, peakFactor: 10 }),
    );
    expect(demand.interactionsPerDay).toBe(864_000);
    expect(demand.interactionsPerSecond).toBeCloseTo(100, 9);
    expect(demand.nextPerSecond).toBeCloseTo(110, 9);
    expect(demand.eventsPerSecond).toBeCloseTo(210, 9);
    // Little: 100 a second, 20 s between two of a learner.
    expect(demand.concurrentLearners).toBeCloseTo(2000, 9);
  });

  it("a POST of many interactions is one request", () => {
    const demand = demandOf(workloadSchema.parse({ interactionsPerPost: 100 }));
    expect(demand.postsPerSecond).toBeCloseTo(demand.interactionsPerSecond / 100, 9);
  });
});

describe("zones", () => {
  it("leave what is needed when the fullest goes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 2, max: 9 }), (needed, zones) => {
        const processes = spreadOverZones(needed, zones);
        expect(processes - Math.ceil(processes / zones)).toBeGreaterThanOrEqual(needed);
        expect(processes - 1 - Math.ceil((processes - 1) / zones)).toBeLessThan(needed);
      }),
    );
    expect(spreadOverZones(7, 1)).toBe(7);
    expect(spreadOverZones(2, 3)).toBe(3);
  });
});

describe("a plan", () => {
  it("for few learners is one process of each role and a spare, without Kafka", () => {
    const made = plan({ learners: 1000 });
    expect(role(made, "projector")).toMatchObject({ needed: 1, processes: 1 });
    expect(role(made, "api")).toMatchObject({ needed: 1, processes: 2 });
    expect(made).toMatchObject({ partitions: 1, kafka: null, redis: { shards: 1, nodes: 2 } });
    expect(made.roles.some((one) => one.role === "relay")).toBe(false);
  });

  it("for many has a relay, partitions for every projector, and no core that is too busy when a zone goes", () => {
    const made = plan({ learners: 30_000_000 });
    const projector = role(made, "projector");
    expect(projector.needed).toBeGreaterThan(1);
    expect(made.partitions).toBeGreaterThanOrEqual(projector.processes);
    expect(made.kafka?.partitions).toBe(made.partitions);
    expect(role(made, "relay").processes).toBe(2);
    for (const { role: name, utilisationZoneGone } of made.roles)
      if (name === "api" || name === "projector") expect(utilisationZoneGone, name).toBeLessThanOrEqual(0.6 + 1e-9);
  });

  it("is what the arithmetic says: processes of the API", () => {
    const made = plan({ learners: 1_000_000, servedSample: 0, otherQueriesPerInteraction: 0, memoryHitShare: 1 });
    const perSecond = made.demand.interactionsPerSecond;
    expect(role(made, "api").cores).toBeCloseTo(perSecond * 120e-6 + perSecond * 1.1 * 30e-6, 9);
  });

  it("folds what comes and what piled up, as the Flink autoscaler has it", () => {
    expect(foldRateFor(60, rulesSchema.parse({ outageMinutes: 10, catchUpMinutes: 30 }))).toBeCloseTo(60 / 0.6 + 20, 9);
  });

  it("keeps what is retained on disk, with room", () => {
    const made = plan({ learners: 10_000, retentionDays: 100, servedSample: 0 }, { diskFree: 0.5 });
    expect(made.log.bytesPerDay).toBeCloseTo(10_000 * 0.4 * 30 * 800, 3);
    expect(made.log.diskOfNode).toBeCloseTo(made.log.bytesPerDay * 200, 0);
  });

  it("splits Redis by memory, and by speed where that asks for more", () => {
    expect(plan({ learners: 40_000_000, interactionsPerDay: 1 }).redis).toMatchObject({ shards: 11, bound: "memory" });
    const fast = plan({ learners: 1_000_000, interactionsPerDay: 1500, memoryHitShare: 0 });
    expect(fast.redis.bound).toBe("speed");
    expect(fast.redis.utilisation).toBeLessThanOrEqual(0.6);
  });

  it("says what binds, the nearest first, and that it does not hold beyond it", () => {
    const { limits } = plan({ learners: 100_000_000 });
    expect(limits.map(({ load }) => load)).toEqual(limits.map(({ load }) => load).sort((a, b) => b - a));
    expect(limits[0]?.load).toBeGreaterThan(1);
    for (const { load } of plan({ learners: 10_000 }).limits) expect(load).toBeLessThan(1);
  });

  it("on cores of twice the speed needs half the time of them", () => {
    const [usual, fast] = [plan({ learners: 3_000_000 }), plan({ learners: 3_000_000 }, { coreSpeed: 2 })];
    for (const name of ["api", "projector", "trainer"] as const)
      expect(role(fast, name).cores / role(usual, name).cores, name).toBeCloseTo(0.5, 1);
  });
});

describe("more learners", () => {
  const anyWorkload = fc.record({
    learners: fc.integer({ min: 1, max: 20_000_000 }),
    activeShare: fc.double({ min: 0.01, max: 1, noNaN: true }),
    peakFactor: fc.double({ min: 1, max: 20, noNaN: true }),
    zones: fc.integer({ min: 1, max: 5 }),
    log: fc.constantFrom("postgres" as const, "eventstoredb" as const),
  });

  it("never take fewer processes, shards or bytes, nor less money", () => {
    fc.assert(
      fc.property(anyWorkload, fc.double({ min: 1, max: 5, noNaN: true }), (workload, times) => {
        const less = plan(workload);
        const more = plan({ ...workload, learners: Math.ceil(workload.learners * times) });
        for (const { role: name, processes, needed } of less.roles) {
          expect(role(more, name).needed, name).toBeGreaterThanOrEqual(needed);
          expect(role(more, name).processes, name).toBeGreaterThanOrEqual(processes);
        }
        expect(more.partitions).toBeGreaterThanOrEqual(less.partitions);
        expect(more.redis.nodes).toBeGreaterThanOrEqual(less.redis.nodes);
        expect(more.log.diskOfNode).toBeGreaterThanOrEqual(less.log.diskOfNode);
        expect(more.network.inside).toBeGreaterThanOrEqual(less.network.inside);
        expect(monthlyCost(more, prices).total).toBeGreaterThanOrEqual(monthlyCost(less, prices).total * (1 - 1e-9));
      }),
      { numRuns: 100 },
    );
  });
});

describe("the monthly cost", () => {
  it("is the sum of its lines, and each has its price", () => {
    const made = plan({ learners: 10_000 });
    const cost = monthlyCost(made, prices);
    expect(cost.lines.reduce((sum, { perMonth }) => sum + perMonth, 0)).toBeCloseTo(cost.total, 9);
    const api = cost.lines.find(({ what }) => what === "api");
    // Two processes of a core and .4 GB.
    expect(api?.perMonth).toBeCloseTo(2 * (0.1 + 0.4 * 0.01) * 730, 9);
    expect(cost.perThousandLearners).toBeCloseTo(cost.total / 10, 9);
    const free = monthlyCost(made, {
      ...prices,
      coreHour: 0,
      memoryGbHour: 0,
      ssdGbMonth: 0,
      objectGbMonth: 0,
      egressGb: 0,
      acrossZonesGb: 0,
    });
    expect(free.total).toBe(20);
  });
});
