/** Future events of a simulation in order of time; those of one time in the order in which they were put there. */
export interface Calendar {
  /** Seconds. */
  now(): number;
  /** Runs at a time, which is not before now. */
  at(seconds: number, run: () => void): void;
  /** Runs everything up to a time, and stands there. */
  runUntil(seconds: number): void;
}

/** A binary heap of three flat arrays: millions of events are put in and taken out. */
export function createCalendar(): Calendar {
  const times: number[] = [];
  const orders: number[] = [];
  const runs: (() => void)[] = [];
  let count = 0;
  let now = 0;

  const isBefore = (time: number, order: number, at: number): boolean => {
    const other = times[at] as number;
    return time < other || (time === other && order < (orders[at] as number));
  };

  function put(at: number, time: number, order: number, run: () => void): void {
    times[at] = time;
    orders[at] = order;
    runs[at] = run;
  }

  function move(from: number, to: number): void {
    put(to, times[from] as number, orders[from] as number, runs[from] as () => void);
  }

  function takeFirst(): () => void {
    const first = runs[0] as () => void;
    const last = times.length - 1;
    const [time, order, run] = [times.pop() as number, orders.pop() as number, runs.pop() as () => void];
    if (last === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && isBefore(times[child + 1] as number, orders[child + 1] as number, child)) child += 1;
      if (isBefore(time, order, child)) break;
      move(child, at);
      at = child;
    }
    put(at, time, order, run);
    return first;
  }

  return {
    now: () => now,
    at(seconds, run) {
      if (!(seconds >= now)) throw new RangeError(`${seconds} s has gone by: it is ${now} s`);
      let at = times.length;
      count += 1;
      put(at, seconds, count, run);
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (!isBefore(seconds, count, parent)) break;
        move(parent, at);
        at = parent;
      }
      put(at, seconds, count, run);
    },
    runUntil(seconds) {
      while (times.length > 0 && (times[0] as number) <= seconds) {
        now = times[0] as number;
        takeFirst()();
      }
      now = Math.max(now, seconds);
    },
  };
}
