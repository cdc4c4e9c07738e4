/** Runs so many pieces of work at a time; the others wait, in the order in which they came. */
export type AtMost = <T>(work: () => Promise<T>) => Promise<T>;

export function createAtMost(max: number): AtMost {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    // Who is let in by one that ended takes its place: nobody who comes meanwhile gets between.
    if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
