import { expect, test, vi } from "vitest";
import { createRowWords } from "./row-words.ts";
import { waitUntil } from "./wait-until.ts";

const never = () => () => undefined;
const isNew = (value: number): boolean => value > 0;

/** A value that anybody may write, and words of it. */
function written() {
  const words = createRowWords();
  let value = 0;
  const asked: number[] = [];
  return {
    asked,
    words,
    set(to: number) {
      value = to;
    },
    ask: async () => {
      asked.push(value);
      return value;
    },
    listen: (wake: () => void) => words.listen("ada", wake),
  };
}

test("a good answer is given at once, and nobody listens any more", async () => {
  const { ask, set, asked, listen } = written();
  set(1);
  let listening = 0;
  const counted = (wake: () => void) => {
    listening += 1;
    const stop = listen(wake);
    return () => {
      listening -= 1;
      stop();
    };
  };
  expect(await waitUntil(ask, isNew, 1_000, counted)).toBe(1);
  expect([asked, listening]).toEqual([[1], 0]);
});

test("the word of a write ends the pause: no time has to pass", async () => {
  vi.useFakeTimers();
  try {
    const { ask, set, words, asked, listen } = written();
    const waiting = waitUntil(ask, isNew, 1_000, listen);
    await vi.waitUntil(() => asked.length === 1);
    words.written("bob");
    set(1);
    words.written("ada");
    expect(await waiting).toBe(1);
    expect(asked).toEqual([0, 1]);
  } finally {
    vi.useRealTimers();
  }
});

test("a word that comes while it asks is not missed", async () => {
  vi.useFakeTimers();
  try {
    const { ask, set, words, asked, listen } = written();
    const asking = async (): Promise<number> => {
      const answer = await ask();
      if (asked.length === 1) {
        set(1);
        words.missed();
      }
      return answer;
    };
    expect(await waitUntil(asking, isNew, 1_000, listen)).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});

test("without a word it looks for itself, and gives what it has when the time is over", async () => {
  vi.useFakeTimers();
  try {
    const { ask, set, asked } = written();
    const first = waitUntil(ask, isNew, 1_000, never);
    await vi.advanceTimersByTimeAsync(7);
    set(1);
    await vi.advanceTimersByTimeAsync(1);
    expect([await first, asked.length]).toEqual([1, 2]);
    set(0);
    const second = waitUntil(ask, isNew, 100, never);
    await vi.advanceTimersByTimeAsync(100);
    // After 0, 8, 24, 56, 88 and 100 ms.
    expect([await second, asked.length]).toEqual([0, 2 + 6]);
  } finally {
    vi.useRealTimers();
  }
});
