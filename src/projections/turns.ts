import { setImmediate as nextTurn } from "node:timers/promises";

/** Cuts long work into slices, so that whatever else the process does (requests, commits) gets its turns in between. */
export interface Turns {
  /** The slice is used up: `await take()` is due. */
  due(): boolean;
  /** Lets the event loop go round once, and begins a new slice. */
  take(): Promise<void>;
}

/** `sliceMs`: work done at a stretch; a request waits about so long at the most. */
export function createTurns(sliceMs = 5, now: () => number = () => performance.now()): Turns {
  let since = now();
  return {
    due: () => now() - since >= sliceMs,
    async take() {
      await nextTurn();
      since = now();
    },
  };
}
