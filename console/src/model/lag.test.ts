import { expect, test } from "vitest";
import type { LagAnswer } from "../api/answers.ts";
import { longestDrain, secondsByProjection, throughput, worstOf } from "./lag.ts";
import { ownership } from "./ownership.ts";

type Row = LagAnswer["projections"][number];

const row = (projection: string, partition: number, more: Partial<Row> = {}): Row => ({
  ...{ projection, partition, started: true, position: 10, behindEvents: 0, behindSeconds: 0, state: "current" },
  ...{ rateIn: 0, rateOut: 0, rateSeconds: 10, secondsToDrain: 0 },
  ...more,
});

test("the worst is who is behind for longest; what never started is counted by itself", () => {
  const rows = [
    row("learners", 0, { behindEvents: 900, behindSeconds: 2 }),
    row("learners", 1, { behindEvents: 3, behindSeconds: 40 }),
    row("relay", 0, { started: false, position: 0 }),
  ];
  expect(worstOf(rows)).toEqual({ events: 3, seconds: 40, neverStarted: 1, name: "learners/1" });
  expect(worstOf([row("learners", 0)])).toEqual({ events: 0, seconds: 0, neverStarted: 0, name: null });
  expect([...secondsByProjection(rows)]).toEqual([
    ["learners", 40],
    ["relay", 0],
  ]);
});

test("throughput is that of the learners' partitions together", () => {
  const rows = [
    row("learners", 0, { rateIn: 10, rateOut: 4 }),
    row("learners", 1, { rateIn: null, rateOut: 6 }),
    row("catalogue", 0, { rateIn: 99, rateOut: 99 }),
  ];
  expect([...throughput(rows)]).toEqual([
    ["in", 10],
    ["folded", 10],
  ]);
  expect([...throughput([])]).toEqual([
    ["in", null],
    ["folded", null],
  ]);
});

test("all is drained when the last is; never known where one is not", () => {
  expect(longestDrain([row("a", 0, { secondsToDrain: 3 }), row("b", 0, { secondsToDrain: 70 })])).toBe(70);
  expect(longestDrain([row("a", 0, { secondsToDrain: 3 }), row("b", 0, { secondsToDrain: null })])).toBeNull();
});

test("every partition has its owners, also one that nobody has", () => {
  const worker = (pid: number, partitions: readonly number[]) => ({
    ...{ id: String(pid), role: "projector" as const, host: "h", pid, version: "1", startedAt: "" },
    ...{ busyShare: 0, requestsPerSecond: 0, parked: 0, poolWaiting: 0, partitions: [...partitions] },
  });
  const rows = [0, 1, 2].map((partition) => row("learners", partition));
  expect(ownership([worker(1, [0]), worker(2, [0, 2, 5])], [...rows, row("relay", 9)])).toEqual([
    { partition: 0, owners: ["h:1", "h:2"] },
    { partition: 1, owners: [] },
    { partition: 2, owners: ["h:2"] },
    { partition: 5, owners: ["h:2"] },
  ]);
});
