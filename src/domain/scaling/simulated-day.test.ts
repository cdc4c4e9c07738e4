import { expect, it } from "vitest";
import type { Controller, Observation, Scenario } from "../pipeline-simulation/model.ts";
import { type ProjectorDay, simulateDay } from "./simulated-day.ts";

const projectors: ProjectorDay = { partitions: 4, workers: 1, perWorker: 500, startSeconds: 20, restartSeconds: 5 };
const steady = (perSecond: number, seconds: number, outages: Scenario["outages"] = []) => ({
  ...{ seconds, outages, seed: 1 },
  posts: { perSecond },
});

/** Asks for so many at a time, and keeps what it saw. */
function asking(at: Readonly<Record<number, number>>): Controller & { readonly seen: Observation[] } {
  const seen: Observation[] = [];
  return {
    ...{ everySeconds: 10, seen },
    decide(observation) {
      seen.push(observation);
      return at[observation.atSeconds] ?? null;
    },
  };
}

it("what comes in and does not go out waits, and grows old by the second", () => {
  const controller = asking({});
  const outcome = simulateDay(projectors, steady(1000, 100), 5, controller);
  expect(outcome.notFolded / 50_000).toBeCloseTo(1, 1);
  expect(outcome.lagSecondsMax).toBeGreaterThan(45);
  expect(outcome.lagSecondsMax).toBeLessThan(52);
  expect(outcome).toMatchObject({ scalings: 0, workersMax: 1, workerHours: 100 / 3600 });
  const last = controller.seen.at(-1);
  expect(last).toMatchObject({ workers: 1, workersAsked: 1, busyShare: 1, rateOut: 500 });
  expect(last?.lagEvents).toBeCloseTo(outcome.notFolded, -1);
});

it("workers that were asked for take part once they have started, and all stand still while partitions are dealt", () => {
  const controller = asking({ 10: 2, 60: 1 });
  const outcome = simulateDay(projectors, steady(400, 100), 5, controller);
  expect(outcome).toMatchObject({ scalings: 2, workersMax: 2, workerHours: (100 + 30) / 3600, notFolded: 0 });
  expect(controller.seen.map(({ workers }) => workers)).toEqual([1, 1, 1, 2, 2, 2, 1, 1, 1, 1]);
  // Five seconds, by the age of the oldest at their end.
  expect(outcome.lagSecondsMax).toBeCloseTo(5, 6);
  expect(outcome.secondsAbove).toBe(0);
});

it("three workers of four partitions do what two do: one of them has two", () => {
  const three = simulateDay({ ...projectors, workers: 3 }, steady(1500, 100), 5, null);
  const two = simulateDay({ ...projectors, workers: 2 }, steady(1500, 100), 5, null);
  expect(three.lagSecondsMax).toBeCloseTo(two.lagSecondsMax, 6);
  expect(three.notFolded).toBeLessThan(two.notFolded);
});

it("engines that stand still: of Redis nothing is written, of the relay nothing arrives", () => {
  for (const engine of ["redis", "relay"] as const) {
    const outage = { engine, fromSeconds: 20, seconds: 30 };
    const outcome = simulateDay(projectors, steady(250, 200, [outage]), 5, null);
    expect(outcome.lagSecondsMax).toBeGreaterThanOrEqual(29);
    expect(outcome.lagSecondsMax).toBeLessThanOrEqual(31);
    expect(outcome.notFolded).toBe(0);
    // It is as long again until what piled up is gone, but for the objective.
    expect(outcome.secondsAbove).toBeGreaterThan(40);
    expect(outcome.secondsAbove).toBeLessThan(60);
  }
});
