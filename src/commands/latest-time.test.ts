import { expect, test } from "vitest";
import { createLatestTime } from "./latest-time.ts";

test("goes on from where the clock was when it is set back, and with the clock again once that has caught up", () => {
  let now = 1_000_000;
  let tick = 50;
  const latest = createLatestTime({ now: () => now }, () => tick);
  const pass = (ms: number): void => {
    now += ms;
    tick += ms;
  };
  expect(latest()).toBe(1_000_000);
  pass(10);
  expect(latest()).toBe(1_000_010);
  now -= 3_600_000;
  pass(10);
  expect(latest()).toBe(1_000_020);
  now += 3_600_000;
  pass(10);
  expect(latest()).toBe(1_000_030);
  now += 7_000;
  expect(latest()).toBe(1_007_030);
});
