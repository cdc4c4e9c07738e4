import { expect, test } from "vitest";
import { createRateLimiter } from "./rate-limit.ts";

const minute = 60_000;

/** As processes of one port do, now and then. */
function tell(limiters: readonly ReturnType<typeof createRateLimiter>[]): void {
  for (const one of limiters) {
    const taken = one.taken();
    if (taken === null) continue;
    for (const other of limiters) if (other !== one) other.add(taken.window, taken.taken);
  }
}

test("two processes let through together what one would, once they have told each other", () => {
  const [a, b] = [createRateLimiter(10), createRateLimiter(10)];
  const passed: string[] = [];
  for (let n = 0; n < 40; n += 1) {
    if ((n % 2 === 0 ? a : b).take("key", 5 * minute + n) === null) passed.push(n % 2 === 0 ? "a" : "b");
    tell([a, b]);
  }
  expect(passed).toEqual(["a", "b", "a", "b", "a", "b", "a", "b", "a", "b"]);
  expect(a.take("key", 5 * minute + 100)).toBe(60);
  expect(a.take("other", 5 * minute)).toBe(null);
  expect(a.take("key", 6 * minute)).toBe(null);
});

test("a clock that is set back does not count the minutes since as one", () => {
  const limiter = createRateLimiter(2);
  const first = 100 * minute;
  expect([limiter.take("key", first), limiter.take("key", first), limiter.take("key", first)]).toEqual([
    null,
    null,
    60,
  ]);
  for (let n = 40; n < 60; n += 1) {
    const now = n * minute;
    expect([limiter.take("key", now), limiter.take("key", now), limiter.take("key", now)]).toEqual([null, null, 60]);
  }
});

test("each request is told once, and of the newest minute only", () => {
  const limiter = createRateLimiter(100);
  for (let n = 0; n < 3; n += 1) limiter.take("a", minute);
  limiter.take("b", minute);
  expect(limiter.taken()).toEqual({ window: 1, taken: { a: 3, b: 1 } });
  expect(limiter.taken()).toBeNull();
  limiter.take("a", minute);
  limiter.take("b", 2 * minute);
  expect(limiter.taken()).toEqual({ window: 2, taken: { b: 1 } });
  // Word of a minute that is over comes too late.
  limiter.add(1, { b: 1_000 });
  expect(limiter.take("b", 2 * minute)).toBe(null);
});
