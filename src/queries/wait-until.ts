import { setTimeout as sleep } from "node:timers/promises";

/** Asks again and again, at 2, 4, 8, 16 and then 25 ms, until the answer is good or `limitMs` is over; gives the last answer. */
export async function waitUntil<T>(ask: () => Promise<T>, good: (answer: T) => boolean, limitMs: number): Promise<T> {
  const end = performance.now() + limitMs;
  for (let pauseMs = 2; ; pauseMs = Math.min(25, pauseMs * 2)) {
    const answer = await ask();
    const left = end - performance.now();
    if (good(answer) || left <= 0) return answer;
    await sleep(Math.min(pauseMs, left));
  }
}
