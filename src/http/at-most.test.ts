import { expect, test } from "vitest";
import { createAtMost } from "./at-most.ts";

test("never more at a time, in order, and a failure frees its place", async () => {
  const atMost = createAtMost(2);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const work = (n: number) => async () => {
    begun.push(n);
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, n % 3));
    running -= 1;
    if (n % 4 === 0) throw new Error(`no ${n}`);
    return n;
  };
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => atMost(work(n))));
  expect(most).toBe(2);
  expect(begun).toEqual(Array.from({ length: 20 }, (_, n) => n));
  expect(results.map(({ status }) => status)).toEqual(
    Array.from({ length: 20 }, (_, n) => (n % 4 === 0 ? "rejected" : "fulfilled")),
  );
  expect(await atMost(work(1))).toBe(1);
});
