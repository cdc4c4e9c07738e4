/** What requests are for, in the order in which they are refused when there is too much to do. */
export const loadClasses = ["analyst", "bulk", "write", "query"] as const;
export type LoadClass = (typeof loadClasses)[number];

export interface Pressure {
  /** Takes what was measured since the last time: by how much the event loop was late, milliseconds. */
  measured(delayMs: number): void;
  /** Whether the next request of this class is to be refused; each call stands for one request. */
  refuses(load: LoadClass): boolean;
  /** 0: nothing is refused; 1: all analysts' requests are, 2: bulk too, and so on. */
  level(): number;
}

/** By how much what is learnt of the load may grow and shrink with one measurement, and the most that a delay adds at once. */
const steps = { up: 0.25, down: 0.1, atOnce: 2 };

/**
 * Decides how much is refused so that the event loop is late by about `limitMs` and not more: the delay is what every request
 * waits before anybody looks at it. A proportional and integral controller: the level follows the excess at once, and what
 * is refused all the time is learnt, so it comes to rest where just enough is. The share of a class grows over one whole
 * step of the level. Which requests of a class are refused is dealt out evenly, without chance.
 */
export function createPressure(limitMs: number): Pressure {
  let level = 0;
  let learnt = 0;
  const owed = new Float64Array(loadClasses.length);
  return {
    measured(delayMs) {
      const excess = (delayMs - limitMs) / limitMs;
      const within = (value: number, max: number): number => Math.min(max, Math.max(0, value));
      learnt = within(learnt + Math.min(steps.up, Math.max(-steps.down, excess / 2)), loadClasses.length);
      level = within(learnt + within(excess / 2, steps.atOnce), loadClasses.length);
    },
    refuses(load) {
      if (level === 0) return false;
      const at = loadClasses.indexOf(load);
      const share = Math.min(1, level - at);
      if (share <= 0) return false;
      const sum = (owed[at] as number) + share;
      owed[at] = sum >= 1 ? sum - 1 : sum;
      return sum >= 1;
    },
    level: () => level,
  };
}
