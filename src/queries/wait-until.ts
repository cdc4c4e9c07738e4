/** Calls `wake` when there may be something new to ask for; returns what ends that. */
export type Listen = (wake: () => void) => () => void;

const firstPauseMs = 8;
const longestPauseMs = 32;

/**
 * Asks again and again until the answer is good or `limitMs` is over; gives the last answer. It asks at the word that something was
 * written, and, since a word can be lost, after 8, 16, 32 and then each 32 ms.
 */
export async function waitUntil<T>(
  ask: () => Promise<T>,
  good: (answer: T) => boolean,
  limitMs: number,
  listen: Listen,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    let wake: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    // Before it asks: what is written while it does is in the next answer.
    const stop = listen(wake);
    let pause: NodeJS.Timeout | undefined;
    try {
      const answer = await ask();
      const left = end - performance.now();
      if (good(answer) || left <= 0) return answer;
      pause = setTimeout(wake, Math.min(pauseMs, left));
      await woken;
    } finally {
      clearTimeout(pause);
      stop();
    }
  }
}
