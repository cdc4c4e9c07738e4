import { expect, test } from "vitest";
import type { JobCounts } from "../ports/job-queue.ts";
import { createQueueWatch } from "./queue-lag.ts";

const counts: JobCounts = {
  ...{ waiting: 3, prioritized: 2, paused: false, active: 1, delayed: 4, failed: 5 },
  ...{ completedTotal: 100, failedTotal: 10, oldestWaitingAt: null },
};

test("backlog, age and rates of each queue; one whose engine is gone is named", async () => {
  let now = 1_000_000;
  let jobs: JobCounts = counts;
  const watch = createQueueWatch(
    [
      { queue: "jobs", counts: async () => jobs },
      { queue: "replays", counts: () => Promise.reject(new Error("gone")) },
    ],
    { now: () => now },
  );
  const first = await watch.read();
  expect(first.unreadable).toEqual(["replays"]);
  expect(first.queues).toEqual([
    {
      ...{ queue: "jobs", waiting: 3, prioritized: 2, paused: false, active: 1, delayed: 4, failed: 5, backlog: 9 },
      ...{ oldestWaitingSeconds: 0, completedTotal: 100, failedTotal: 10 },
      ...{ completedPerSecond: null, failedPerSecond: null, rateSeconds: 0 },
    },
  ]);
  now += 20_000;
  jobs = { ...counts, completedTotal: 140, failedTotal: 11, oldestWaitingAt: now - 7_500 };
  expect((await watch.read()).queues[0]).toMatchObject({
    ...{ completedPerSecond: 2, failedPerSecond: 0.05, rateSeconds: 20, oldestWaitingSeconds: 7.5 },
  });
  // Asked each second for two minutes: the rates are those of the last one.
  for (let second = 1; second <= 120; second += 1) {
    now += 1_000;
    jobs = { ...jobs, completedTotal: 140 + second * 10 };
    await watch.read();
  }
  const { completedPerSecond, rateSeconds } = (await watch.read()).queues[0] ?? {};
  expect(completedPerSecond).toBe(10);
  expect(rateSeconds).toBeGreaterThanOrEqual(60);
  expect(rateSeconds).toBeLessThanOrEqual(65);
  // An engine that was emptied counts from the beginning.
  jobs = counts;
  expect((await watch.read()).queues[0]).toMatchObject({ completedPerSecond: null, rateSeconds: 0 });
});
