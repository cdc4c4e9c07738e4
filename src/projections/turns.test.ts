import { expect, test } from "vitest";
import { createTurns } from "./turns.ts";

test("a turn is due when the slice is used up, and again after as long", async () => {
  let now = 100;
  const turns = createTurns(5, () => now);
  now += 4;
  expect(turns.due()).toBe(false);
  now += 1;
  expect(turns.due()).toBe(true);
  let othersRan = false;
  setImmediate(() => {
    othersRan = true;
  });
  await turns.take();
  expect(othersRan).toBe(true);
  expect(turns.due()).toBe(false);
  now += 5;
  expect(turns.due()).toBe(true);
});
