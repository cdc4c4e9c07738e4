import { expect, test } from "vitest";
import { createFreshness } from "./replica-freshness.ts";

function setting() {
  const primary = { head: 0, down: false, asked: 0 };
  const clock = { now: 0 };
  const head = async () => {
    primary.asked += 1;
    if (primary.down) throw new Error("gone");
    return primary.head;
  };
  return { primary, clock, freshness: createFreshness(head, 1_000, () => clock.now) };
}

test("who has what the primary had within the bound is fresh enough, and only he", async () => {
  const { primary, clock, freshness } = setting();
  expect(freshness.covers(99)).toBe(false);
  primary.head = 10;
  await freshness.refresh();
  clock.now = 800;
  primary.head = 20;
  await freshness.refresh();
  expect([9, 10, 20].map(freshness.covers)).toEqual([false, true, true]);
  clock.now = 1_100;
  expect([10, 19, 20].map(freshness.covers)).toEqual([false, false, true]);
});

test("a primary that is gone proves nothing for longer than the bound", async () => {
  const { primary, clock, freshness } = setting();
  await freshness.refresh();
  primary.down = true;
  clock.now = 900;
  await freshness.refresh();
  expect(freshness.covers(0)).toBe(true);
  clock.now = 1_001;
  expect([freshness.covers(0), freshness.known()]).toEqual([false, false]);
});

test("the primary is asked a few times in the time of the bound, however many reads there are", async () => {
  const { primary, clock, freshness } = setting();
  for (; clock.now < 2_000; clock.now += 1) await Promise.all([freshness.refresh(), freshness.refresh()]);
  expect(primary.asked).toBe(16);
});

test("an answer that comes while others look is kept", async () => {
  const { freshness } = setting();
  const asked = freshness.refresh();
  expect(freshness.known()).toBe(false);
  await asked;
  expect(freshness.known()).toBe(true);
});
