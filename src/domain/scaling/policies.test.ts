import { describe, expect, it } from "vitest";
import type { PipelineModel } from "../pipeline-simulation/model.ts";
import { liveWith, type PolicyOutcome, policyCases } from "./compare-policies.ts";
import { days } from "./days.ts";
import { defaultPolicy } from "./policy.ts";

/**
 * A pipeline in which a worker does about 800 events a second, of 16 partitions; workers start in 15 s, a change stops all for 3 s. What
 * stands before the projectors has room. docs/scaling.md has the table with the measured pipeline.
 */
const model: PipelineModel = {
  api: {
    ...{ processes: 1, balancing: "shared", memoryHitShare: 1, readWaitMs: 100, transport: { meanMs: 0.3 } },
    ...{ post: { meanMs: 0.01 }, next: { meanMs: 0.01 }, nextRead: { meanMs: 0 } },
  },
  commit: {
    ...{ base: { meanMs: 5 }, perEventMs: 0.005, serialMs: 2, eventsMax: 20_000, inFlightMax: 2, besideFrom: 32 },
    queueMax: 200_000,
  },
  feed: { wake: { meanMs: 2 }, relay: null },
  projector: {
    ...{
      partitions: 16,
      workers: 1,
      batch: { meanMs: 1, cv: 0.5 },
      event: { meanMs: 1.2, cv: 0.5 },
      eventsMax: 2000,
    },
    ...{ write: { meanMs: 0.5 }, writeEventMs: 0.002, writeDeadlineMs: 5000, retryMs: 100, retryMsMax: 10_000 },
    ...{ startMs: 15_000, rebalanceMs: 3000 },
  },
  redisRoundTrip: { meanMs: 0.2 },
  notice: { meanMs: 0.2 },
};

const cases = policyCases(16);
const outcomes = new Map<string, PolicyOutcome>();

function lived(day: string, policy: string): PolicyOutcome {
  const key = `${day}, ${policy}`;
  const before = outcomes.get(key);
  if (before !== undefined) return before;
  const one = cases.find(({ name }) => name === policy);
  const scenario = days.find(({ name }) => name === day)?.scenario(1200, 1);
  if (one === undefined || scenario === undefined) throw new Error(`${key}: there is none`);
  const outcome = liveWith(one, model, { ...scenario, resolutionMs: 3000 });
  outcomes.set(key, outcome);
  return outcome;
}

describe("the policy that scales by lag, on a simulated day, against scaling by CPU", { timeout: 120_000 }, () => {
  it("with spikes: less time above the objective for fewer worker-hours than at 50 %, and fewer changes", () => {
    const [lag, cpu] = [lived("spikes", "lag, with forecast"), lived("spikes", "CPU 50 %")];
    expect(lag.secondsAbove).toBeLessThanOrEqual(cpu.secondsAbove);
    expect(lag.workerHours).toBeLessThan(cpu.workerHours);
    expect(lag.scalings).toBeLessThan(cpu.scalings * 0.7);
    expect(lag.lagSecondsMax).toBeLessThan(cpu.lagSecondsMax);
    expect(lag.notFolded).toBeLessThan(5000);
  });

  it("with spikes: at most six tenths of the time above the objective of 70 %, for at most three tenths more worker-hours", () => {
    const [lag, cpu] = [lived("spikes", "lag, with forecast"), lived("spikes", "CPU 70 %")];
    expect(lag.secondsAbove).toBeLessThan(cpu.secondsAbove * 0.6);
    expect(lag.workerHours).toBeLessThan(cpu.workerHours * 1.3);
  });

  it("when Redis is gone for five minutes: what piled up goes in the time that it may take, and nothing flaps", () => {
    const lag = lived("outages", "lag, with forecast");
    expect(lag.secondsAbove).toBeLessThan(300 + defaultPolicy.catchUpSeconds + defaultPolicy.restartSeconds);
    expect(lag.scalings).toBeLessThanOrEqual(16);
    expect(lag.workerHours).toBeLessThan(16 * 24 * 0.2);
  });
});
