import { expect, test } from "vitest";
import { createMemoryPresence } from "../../adapters/presence/memory.ts";
import { defaultPolicy } from "../../domain/scaling/policy.ts";
import type { ProcessReport } from "../../domain/scaling/process-report.ts";
import type { Lag } from "../lag.ts";
import type { QueueLag } from "../queue-lag.ts";
import { createScalingWatch } from "./scaling-watch.ts";

const lagOf = (partition: number, behindEvents: number, rateIn: number | null, rateOut: number | null): Lag => ({
  ...{ projection: "learners", partition, started: true, position: 1, behindEvents, rateIn, rateOut, rateSeconds: 10 },
  ...{ behindSeconds: behindEvents > 0 ? 40 : 0, state: "growing", secondsToDrain: null },
});

const queue: QueueLag = {
  ...{ queue: "jobs", waiting: 0, prioritized: 0, paused: false, delayed: 9, active: 0, failed: 0, backlog: 9 },
  ...{ oldestWaitingSeconds: 0, completedTotal: 10, failedTotal: 0, completedPerSecond: null, failedPerSecond: null },
  rateSeconds: 0,
};

const process = (role: ProcessReport["role"], more: Partial<ProcessReport> = {}): ProcessReport => ({
  ...{ role, host: "h", pid: 1, startedAt: "2026-03-02T00:00:00.000Z", busyShare: 0.5, requestsPerSecond: 0 },
  ...{ partitions: [], parked: 0, poolWaiting: 0, ...more },
});

function deployment(shared = true) {
  let now = Date.parse("2026-03-02T08:00:00Z");
  const clock = { now: () => now };
  const presence = createMemoryPresence(clock);
  const state = {
    lag: [lagOf(0, 0, 0, 0), lagOf(1, 0, 0, 0)] as readonly Lag[],
    queues: [queue] as readonly QueueLag[],
    looks: 0,
    fails: false,
  };
  const watch = createScalingWatch({
    ...{ clock, presence, policy: defaultPolicy, shared, arrivals: { read: async () => [] } },
    async lag() {
      state.looks += 1;
      if (state.fails) throw new Error("the log is gone");
      return { head: 1, projections: state.lag, unreadable: [] };
    },
    queues: async () => ({ queues: state.queues, unreadable: [] }),
  });
  return {
    ...{ presence, state, watch },
    async look(times = 1, seconds = 10) {
      for (let n = 0; n < times; n += 1) {
        now += seconds * 1000;
        await watch.plan();
      }
      return watch.plan();
    },
  };
}

const roleOf = (plan: Awaited<ReturnType<ReturnType<typeof deployment>["look"]>>, role: string) =>
  plan.roles.find((one) => one.role === role);

test("roles by what their processes say; one of all roles is a worker of each", async () => {
  const { presence, look } = deployment();
  await presence.report("a", process("api", { requestsPerSecond: 30, busyShare: 0.4 }), 1e9);
  await presence.report("b", process("api", { requestsPerSecond: 50, busyShare: 0.6 }), 1e9);
  await presence.report("c", process("projector", { partitions: [0, 1], parked: 2 }), 1e9);
  await presence.report("d", process("all"), 1e9);
  await presence.report("later", { role: "of a later version" }, 1e9);
  const plan = await look(3);
  expect(plan.processes.map(({ id }) => id)).toEqual(["a", "b", "c", "d"]);
  expect(roleOf(plan, "api")).toMatchObject({ running: 3, rateIn: 80 });
  expect(roleOf(plan, "api")?.busyShare).toBeCloseTo(0.5);
  expect(roleOf(plan, "projector")).toMatchObject({ running: 2, parked: 2, most: 2 });
  expect(roleOf(plan, "trainer")).toMatchObject({ running: 1, binds: "sole" });
  expect(roleOf(plan, "query")).toBeUndefined();
});

test("lag by partition adds up; what the relay has still is not the projectors' to do", async () => {
  const { presence, state, look } = deployment();
  await presence.report("c", process("projector"), 1e9);
  state.lag = [lagOf(0, 900, 100, 80), lagOf(1, 500, 60, 70), { ...lagOf(0, 1300, 200, 100), projection: "relay" }];
  const plan = await look(4);
  expect(roleOf(plan, "projector")).toMatchObject({
    rateIn: 160,
    rateOut: 150,
    backlog: 1400,
    lagSeconds: 40,
    binds: "relay",
  });
  expect(roleOf(plan, "relay")).toMatchObject({ backlog: 1300, desired: 1 });
});

test("without Kafka one projector is all that can be", async () => {
  const { presence, state, look } = deployment(false);
  await presence.report("c", process("all"), 1e9);
  state.lag = [lagOf(0, 90_000, 900, 80), lagOf(1, 90_000, 900, 70)];
  expect(roleOf(await look(6), "projector")).toMatchObject({ most: 1, desired: 1, binds: "workers_max" });
});

test("jobs: those that ended since the last look, and those that wait, not those for later", async () => {
  const { presence, state, look } = deployment();
  await presence.report("j", process("jobs"), 1e9);
  await look(1);
  state.queues = [{ ...queue, completedTotal: 30, waiting: 60, prioritized: 40, active: 1, oldestWaitingSeconds: 70 }];
  const plan = await look(1);
  expect(roleOf(plan, "jobs")).toMatchObject({ running: 1, rateOut: 2, backlog: 100, lagSeconds: 70 });
  expect(roleOf(plan, "jobs")?.rateIn).toBeCloseTo(12.1);
  // Emptied: nothing is known until the next look.
  state.queues = [{ ...queue, completedTotal: 0 }];
  expect(roleOf(await look(1), "jobs")).toMatchObject({ backlog: 100 });
});

test("looks once for many who ask, and not again at once", async () => {
  const { watch, state, look } = deployment();
  expect(watch.last()).toBeNull();
  await Promise.all([watch.plan(), watch.plan(), watch.plan()]);
  expect(state.looks).toBe(1);
  await watch.plan(2);
  expect(state.looks).toBe(1);
  await look(1, 3);
  expect(state.looks).toBe(2);
  expect(watch.last()?.watchedSeconds).toBe(3);
});

test("says what it could not ask, and goes on with the rest; no rates yet is no plan for projectors", async () => {
  const { presence, state, watch, look } = deployment();
  await presence.report("a", process("api"), 1e9);
  state.lag = [lagOf(0, 5, null, null)];
  expect(roleOf(await watch.plan(), "projector")).toBeUndefined();
  state.fails = true;
  const plan = await look(1);
  expect(plan.unreadable).toEqual(["lag"]);
  expect(roleOf(plan, "api")).toMatchObject({ running: 1 });
});
